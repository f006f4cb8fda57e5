/** A blob on disk, as the index has it. */
export interface Blob {
  readonly key: string;
  /** The name of its version. */
  readonly name: string;
  /** Bytes of content, which count against the limit. */
  readonly bytes: number;
  /** Bytes with the trailer. */
  readonly fileBytes: number;
  /** The file's fingerprint as last verified; ABSENT: not verified by this process. See verification.ts. */
  fingerprint: bigint;
  /** Increases with every use of any blob. */
  used: number;
}

/**
 * In the order of eviction. `beside`: content of a tree that is shown beside the current one. `past`: content of the
 * current tree, past the prefetch bound. `kept`: content of the current tree within that bound, or pinned; never
 * evicted.
 */
export type Rank = 'hidden' | 'beside' | 'past' | 'kept';

const RANKS: readonly string[] = ['hidden', 'beside', 'past', 'kept'] satisfies readonly Rank[];

export function isRank(text: string): text is Rank {
  return RANKS.includes(text);
}
