import type { Generation } from '../tree/index.ts';
import type { SourceHold } from './release-step.ts';

/** The result of looking up the id of a release. */
export type FoundVersion =
  | { readonly kind: 'found'; readonly generation: Generation }
  /** This environment never had such a release, or it was deleted. */
  | { readonly kind: 'absent' }
  /**
   * The release was rejected: its witness (the step that first brought the environment to it), or its
   * manifest.
   */
  | { readonly kind: 'held'; readonly hold: SourceHold };

/** Finds trees that an environment has had, by the ids of their releases. */
export interface VersionSource {
  /**
   * Looks up a release. Rejects with StoreError if the store fails: then it is unknown whether there is such
   * a release.
   */
  findVersion(id: string, options: { readonly signal: AbortSignal }): Promise<FoundVersion>;
}
