/** The entry of a blob on disk in the index. */
export interface Blob {
  readonly key: string;
  /** The name of the blob's version. */
  readonly name: string;
  /** Bytes of content, which count against the limit. */
  readonly bytes: number;
  /** Bytes of the file: content and trailer. */
  readonly fileBytes: number;
  /**
   * The file's fingerprint when this process last verified its content; ABSENT if that has not happened. See
   * verification.ts.
   */
  fingerprint: bigint;
  /** The number of this blob's last use. Each use of any blob gets the next higher number. */
  used: number;
}

/**
 * What shows a blob's version, in the order in which blobs are evicted:
 *
 * - `hidden`: no tree
 * - `beside`: only a tree that is shown beside the current one
 * - `past`: the current tree, past the prefetch bound
 * - `kept`: the current tree, within that bound; or the version is pinned. Not evicted to make room for other
 *   blobs
 */
export type Rank = 'hidden' | 'beside' | 'past' | 'kept';

const RANKS: readonly string[] = ['hidden', 'beside', 'past', 'kept'] satisfies readonly Rank[];

export function isRank(text: string): text is Rank {
  return RANKS.includes(text);
}
