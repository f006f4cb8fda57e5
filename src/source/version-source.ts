import type { Generation } from '../tree/index.ts';
import type { SourceHold } from './release-step.ts';

/** What is under the id of a release. */
export type FoundVersion =
  | { readonly kind: 'found'; readonly generation: Generation }
  /** This environment never had such a release, or it was deleted. */
  | { readonly kind: 'absent' }
  /** What says that it had is not believed, or what it names cannot be had. */
  | { readonly kind: 'held'; readonly hold: SourceHold };

/** Trees that an environment has had, by their ids. */
export interface VersionSource {
  /** Rejects with StoreError where the store is in trouble: whether there is such a release is not known then. */
  findVersion(id: string, options: { readonly signal: AbortSignal }): Promise<FoundVersion>;
}
