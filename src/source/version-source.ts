import type { Generation } from '../tree/index.ts';
import type { SourceHold } from './release-step.ts';

/** The result of looking up the id of a release. */
export type FoundVersion =
  | { readonly kind: 'found'; readonly generation: Generation }
  /** This environment never had such a release, or it was deleted. */
  | { readonly kind: 'absent' }
  /** Its witness was rejected, or an object that it names cannot be read. */
  | { readonly kind: 'held'; readonly hold: SourceHold };

/** Trees that an environment has had, by their ids. */
export interface VersionSource {
  /** Rejects with StoreError if the store fails: then it is unknown whether there is such a release. */
  findVersion(id: string, options: { readonly signal: AbortSignal }): Promise<FoundVersion>;
}
