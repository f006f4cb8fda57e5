/** A blob on disk, as the index has it. */
export interface Blob {
  readonly key: string;
  /** Of the version that it is content of. */
  readonly name: string;
  /** Content alone: what counts against the limit. */
  readonly bytes: number;
  /** With the trailer. */
  readonly fileBytes: number;
  /** When its content was last verified; 0n: not by this process. */
  fingerprint: bigint;
  /** Grows with every use of any blob. */
  used: number;
}

/** In the order of eviction. `kept`: shown within the prefetch bound, or pinned: never evicted. */
export type Rank = 'hidden' | 'past' | 'kept';

const RANKS: readonly string[] = ['hidden', 'past', 'kept'] satisfies readonly Rank[];

export function isRank(text: string): text is Rank {
  return RANKS.includes(text);
}
