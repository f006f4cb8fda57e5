import type { Blob, Rank } from './blob.ts';
import { Recency } from './recency.ts';
import { type Bound, RetentionTable } from './retention-table.ts';

export interface BlobIndexOptions {
  /** Bytes of content. */
  readonly limitBytes: number;
  /** Removes the blob's file; false where the disk does not let it go: then it stays in the index. */
  readonly remove: (key: string) => boolean;
  /** Whether it is not known yet what is shown and what is pinned: until resumeEviction() nothing is evicted. */
  readonly evictionPaused?: boolean | undefined;
}

export interface RankedBlobs {
  readonly rank: Rank;
  readonly blobs: readonly Blob[];
}

/** Room held for a blob on its way; given back before the blob is added, in the same turn of the loop. */
export interface Reservation {
  release(): void;
}

/**
 * Which blobs are there, and which of them go when room is needed:
 *
 * 1. those of versions that are not shown, least recently used first
 * 2. those past the prefetch bound, which together take at most half of the limit
 *
 * Those of shown versions within the bound are not evicted for another's need, pinned ones never. What is not
 * pinned never exceeds the limit, room held for what is on its way included.
 */
export class BlobIndex {
  readonly #limit: number;
  readonly #pastLimit: number;
  readonly #remove: (key: string) => boolean;
  readonly #retention = new RetentionTable();
  readonly #ranks: Readonly<Record<Rank, Recency>> = {
    hidden: new Recency(),
    past: new Recency(),
    kept: new Recency(),
  };
  /** Of versions in chunks, the keys that are here. The key of a whole file is the version's name. */
  readonly #chunks = new Map<string, Set<string>>();
  #used = 0;
  #reserved = 0;
  #reservedPast = 0;
  #pinned = 0;
  #pinnedBytes = 0;
  #evictions = 0;
  #evictionPaused: boolean;

  constructor({ limitBytes, remove, evictionPaused = false }: BlobIndexOptions) {
    this.#evictionPaused = evictionPaused;
    this.#limit = limitBytes;
    this.#pastLimit = Math.floor(limitBytes / 2);
    this.#remove = remove;
  }

  get entries(): number {
    const { hidden, past, kept } = this.#ranks;
    return hidden.size + past.size + kept.size;
  }

  get bytes(): number {
    const { hidden, past, kept } = this.#ranks;
    return hidden.bytes + past.bytes + kept.bytes;
  }

  /** Blobs of pinned versions. */
  get pinned(): number {
    return this.#pinned;
  }

  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  get evictions(): number {
    return this.#evictions;
  }

  get totals(): Readonly<Record<Rank, { readonly entries: number; readonly bytes: number }>> {
    const of = ({ size, bytes }: Recency) => ({ entries: size, bytes });
    const { hidden, past, kept } = this.#ranks;
    return { hidden: of(hidden), past: of(past), kept: of(kept) };
  }

  isPinned(name: string): boolean {
    return this.#retention.isPinned(name);
  }

  /** Whatever its rank. Returns whether it was there and is gone. */
  evict(key: string): boolean {
    return this.#evict(this.peek(key));
  }

  peek(key: string): Blob | undefined {
    const { hidden, past, kept } = this.#ranks;
    return kept.peek(key) ?? hidden.peek(key) ?? past.peek(key);
  }

  rankOf(name: string): Rank {
    return this.#retention.rank(name);
  }

  touch(blob: Blob): void {
    blob.used = ++this.#used;
    this.#ranks[this.rankOf(blob.name)].touch(blob);
  }

  /** Adds a blob as the most recently used one. It may be evicted at once: whoever adds it looks again. */
  add(blob: Omit<Blob, 'used'>): void {
    this.delete(blob.key);
    const added: Blob = { ...blob, used: ++this.#used };
    this.#ranks[this.rankOf(blob.name)].add(added);
    if (blob.key !== blob.name) {
      const chunks = this.#chunks.get(blob.name);
      if (chunks === undefined) this.#chunks.set(blob.name, new Set([blob.key]));
      else chunks.add(blob.key);
    }
    if (this.#retention.isPinned(blob.name)) this.#countPinned(added, 1);
    this.#settle([added]);
  }

  delete(key: string): void {
    const blob = this.peek(key);
    if (blob === undefined) return;
    this.#ranks[this.rankOf(blob.name)].delete(key);
    const chunks = this.#chunks.get(blob.name);
    if (chunks?.delete(key) && chunks.size === 0) this.#chunks.delete(blob.name);
    if (this.#retention.isPinned(blob.name)) this.#countPinned(blob, -1);
  }

  show(name: string, bound: Bound): void {
    this.#claim(name, () => this.#retention.show(name, bound));
  }

  hide(name: string): void {
    this.#claim(name, () => this.#retention.hide(name));
  }

  pin(name: string): void {
    this.#claim(name, () => this.#retention.pin(name));
  }

  unpin(name: string): void {
    this.#claim(name, () => this.#retention.unpin(name));
  }

  /** All that is shown or pinned was said to be: what is too much goes, of what is shown the largest first. */
  resumeEviction(): void {
    if (!this.#evictionPaused) return;
    this.#evictionPaused = false;
    this.#trimPast(0);
    if (this.#trim(0)) return;
    this.#settle(this.#ranks.kept.listAsAdded().toSorted((one, other) => other.bytes - one.bytes));
  }

  /**
   * Makes and holds room for `bytes` of a version. Undefined where that would need the eviction of what is
   * protected: then nothing is evicted at all.
   */
  reserve(name: string, bytes: number): Reservation | undefined {
    const { hidden, past } = this.#ranks;
    const isPast = this.rankOf(name) === 'past';
    const pinned = this.#retention.isPinned(name);
    const pastNeeds = isPast ? past.bytes + this.#reservedPast + bytes - this.#pastLimit : 0;
    const needs = this.bytes + this.#reserved + bytes - this.#limit;
    if (this.#evictionPaused && needs > 0) return undefined;
    if (pastNeeds > past.bytes) return undefined;
    if (needs > hidden.bytes + past.bytes && !pinned) return undefined;
    if (!this.#evictionPaused && !this.#trimPast(isPast ? bytes : 0)) return undefined;
    if (!this.#trim(bytes) && !pinned) return undefined;
    this.#reserved += bytes;
    if (isPast) this.#reservedPast += bytes;
    return {
      release: () => {
        this.#reserved -= bytes;
        if (isPast) this.#reservedPast -= bytes;
      },
    };
  }

  /** Evicts at least `bytes` for a version's need, for a disk that is smaller than the limit. */
  giveUp(name: string, bytes: number): boolean {
    if (this.#evictionPaused) return false;
    const { hidden, past } = this.#ranks;
    const spare = this.rankOf(name) === 'kept' ? hidden.bytes + past.bytes : hidden.bytes;
    if (spare < bytes) return false;
    for (const until = this.bytes - bytes; this.bytes > until; ) {
      if (!this.#evict(hidden.oldest() ?? past.oldest())) return false;
    }
    return true;
  }

  /**
   * All blobs as they are now, the next to be evicted first, by their rank. 100,000 take some 30 ms, in one stretch;
   * sorting those that are kept, which nobody is about to evict, would take as long again.
   */
  inOrder(): readonly RankedBlobs[] {
    const { hidden, past, kept } = this.#ranks;
    return [
      { rank: 'hidden', blobs: hidden.list() },
      { rank: 'past', blobs: past.list() },
      { rank: 'kept', blobs: kept.listAsAdded() },
    ];
  }

  #claim(name: string, change: () => void): void {
    const rank = this.rankOf(name);
    const pinned = this.#retention.isPinned(name);
    change();
    const rankNow = this.rankOf(name);
    const pinnedNow = this.#retention.isPinned(name);
    if (rank === rankNow && pinned === pinnedNow) return;
    const blobs = this.#blobsOf(name, rank);
    for (const blob of blobs) {
      if (rank !== rankNow) {
        this.#ranks[rank].delete(blob.key);
        // Until now it was shown: of what is hidden, it is what was used last.
        if (rankNow === 'hidden') blob.used = ++this.#used;
        this.#ranks[rankNow].add(blob);
      }
      if (pinned !== pinnedNow) this.#countPinned(blob, pinnedNow ? 1 : -1);
    }
    if (blobs.length > 0) this.#settle(blobs);
  }

  #blobsOf(name: string, rank: Rank): Blob[] {
    const chunks = this.#chunks.get(name);
    if (chunks !== undefined) return Array.from(chunks, (key) => this.#ranks[rank].peek(key)!);
    const whole = this.#ranks[rank].peek(name);
    return whole === undefined ? [] : [whole];
  }

  #countPinned(blob: Blob, one: 1 | -1): void {
    this.#pinned += one;
    this.#pinnedBytes += one * blob.bytes;
  }

  /** Holds the limits again after these blobs came or changed their rank. */
  #settle(changed: readonly Blob[]): void {
    if (this.#evictionPaused) return;
    this.#trimPast(0);
    if (this.#trim(0)) return;
    // Only what is protected is left. Pinned content may exceed the limit; what stops being pinned may not.
    for (const blob of changed) {
      if (this.bytes - this.#pinnedBytes + this.#reserved <= this.#limit) return;
      if (!this.#retention.isPinned(blob.name) && this.peek(blob.key) === blob) this.#evict(blob);
    }
  }

  #trimPast(more: number): boolean {
    const { past } = this.#ranks;
    while (past.bytes > 0 && past.bytes + this.#reservedPast + more > this.#pastLimit) {
      if (!this.#evict(past.oldest())) return false;
    }
    return true;
  }

  #trim(more: number): boolean {
    const { hidden, past } = this.#ranks;
    while (this.bytes + this.#reserved + more > this.#limit) {
      if (!this.#evict(hidden.oldest() ?? past.oldest())) return false;
    }
    return true;
  }

  #evict(blob: Blob | undefined): boolean {
    if (blob === undefined || !this.#remove(blob.key)) return false;
    this.delete(blob.key);
    this.#evictions += 1;
    return true;
  }
}
