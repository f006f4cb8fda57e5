import type { Blob, Rank } from './blob.ts';
import { Recency } from './recency.ts';
import { type Bound, RetentionTable } from './retention-table.ts';

export interface BlobIndexOptions {
  /** The limit of the cache, in bytes of content. */
  readonly limitBytes: number;
  /** Removes the blob's file. Returns false if the removal fails; the blob then stays in the index. */
  readonly remove: (key: string) => boolean;
  /** Set while it is unknown which versions are shown and pinned. Evicts nothing until resumeEviction(). */
  readonly evictionPaused?: boolean | undefined;
}

export interface RankedBlobs {
  readonly rank: Rank;
  readonly blobs: readonly Blob[];
}

/**
 * The space for blobs of the rank `beside`: those that only trees shown beside the current tree need (Rank).
 */
export interface BesideState {
  /**
   * The maximum number of bytes that all `beside` blobs may take now: the limit of the cache less the bytes
   * of `past` and `kept` blobs, which a `beside` blob does not evict.
   */
  readonly room: number;
  /**
   * Bytes of `room` that neither `beside` blobs nor reservations take. Blobs of the rank `hidden`, which no
   * tree shows, count as free space, because a new `beside` blob evicts them.
   */
  readonly free: number;
  /** The number of `beside` blobs that have left the cache so far. */
  readonly lost: number;
}

/** Space for an incoming blob. Release it before adding the blob, in the same turn of the event loop. */
export interface Reservation {
  release(): void;
}

/**
 * The index of the blobs on disk. It evicts blobs when space is needed, in this order of ranks:
 *
 * 1. `hidden`: blobs of versions that no tree shows, least recently used first
 * 2. `beside`: blobs of trees beside the current one. A new blob of such a tree evicts only ranks 1 and 2
 * 3. `past`: blobs past the prefetch bound, which together take at most half of the limit
 *
 * Blobs of the rank `kept` are not evicted to make room for others: the current tree shows their versions
 * within the prefetch bound, or the versions are pinned. Only evict() evicts a pinned blob. Unpinned blobs
 * and reservations together never exceed the limit, unless eviction is paused.
 */
export class BlobIndex {
  readonly #limit: number;
  readonly #pastLimit: number;
  readonly #remove: (key: string) => boolean;
  readonly #retention = new RetentionTable();
  readonly #ranks: Readonly<Record<Rank, Recency>> = {
    hidden: new Recency(),
    beside: new Recency(),
    past: new Recency(),
    kept: new Recency(),
  };
  /**
   * For each version in chunks, the keys of its blobs on disk. A version in one blob has its name as the key.
   */
  readonly #chunks = new Map<string, Set<string>>();
  #used = 0;
  #reserved = 0;
  #reservedPast = 0;
  #pinned = 0;
  #pinnedBytes = 0;
  #evictions = 0;
  #lostBeside = 0;
  #evictionPaused: boolean;

  constructor({ limitBytes, remove, evictionPaused = false }: BlobIndexOptions) {
    this.#evictionPaused = evictionPaused;
    this.#limit = limitBytes;
    this.#pastLimit = Math.floor(limitBytes / 2);
    this.#remove = remove;
  }

  get entries(): number {
    const { hidden, beside, past, kept } = this.#ranks;
    return hidden.size + beside.size + past.size + kept.size;
  }

  get bytes(): number {
    const { hidden, beside, past, kept } = this.#ranks;
    return hidden.bytes + beside.bytes + past.bytes + kept.bytes;
  }

  /** The number of blobs of pinned versions. */
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
    const { hidden, beside, past, kept } = this.#ranks;
    return { hidden: of(hidden), beside: of(beside), past: of(past), kept: of(kept) };
  }

  isPinned(name: string): boolean {
    return this.#retention.isPinned(name);
  }

  /** Evicts a blob of any rank, also a pinned one. Returns whether the blob was present and is removed. */
  evict(key: string): boolean {
    return this.#evict(this.peek(key));
  }

  peek(key: string): Blob | undefined {
    const { hidden, beside, past, kept } = this.#ranks;
    return kept.peek(key) ?? hidden.peek(key) ?? past.peek(key) ?? beside.peek(key);
  }

  rankOf(name: string): Rank {
    return this.#retention.rank(name);
  }

  touch(blob: Blob): void {
    blob.used = ++this.#used;
    this.#ranks[this.rankOf(blob.name)].touch(blob);
  }

  /** Adds a blob as the most recently used one. It may be evicted immediately, so callers must check. */
  add(blob: Omit<Blob, 'used'>): void {
    this.delete(blob.key);
    const { key, name, bytes, fileBytes, fingerprint } = blob;
    const added: Blob = { key, name, bytes, fileBytes, fingerprint, used: ++this.#used };
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
    const rank = this.rankOf(blob.name);
    this.#ranks[rank].delete(key);
    if (rank === 'beside') this.#lostBeside += 1;
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

  showBeside(name: string): void {
    this.#claim(name, () => this.#retention.showBeside(name));
  }

  hideBeside(name: string): void {
    this.#claim(name, () => this.#retention.hideBeside(name));
  }

  get beside(): BesideState {
    const { beside, past, kept } = this.#ranks;
    const room = Math.max(0, this.#limit - past.bytes - kept.bytes);
    return { room, free: Math.max(0, room - beside.bytes - this.#reserved), lost: this.#lostBeside };
  }

  pin(name: string): void {
    this.#claim(name, () => this.#retention.pin(name));
  }

  unpin(name: string): void {
    this.#claim(name, () => this.#retention.unpin(name));
  }

  /**
   * Ends the pause of eviction, and evicts blobs until the limits hold; of `kept` blobs, the largest first.
   * Call this once all shown and pinned versions are known.
   */
  resumeEviction(): void {
    if (!this.#evictionPaused) return;
    this.#evictionPaused = false;
    this.#trimPast(0);
    if (this.#trim(0)) return;
    this.#settle(this.#ranks.kept.listAsAdded().toSorted((one, other) => other.bytes - one.bytes));
  }

  /**
   * Reserves `bytes` for a version, and evicts other blobs if this is needed. Returns undefined, and evicts
   * nothing, if it would have to evict while eviction is paused, or more than it may evict. A pinned version
   * may exceed the limit.
   */
  reserve(name: string, bytes: number): Reservation | undefined {
    const { past } = this.#ranks;
    const rank = this.rankOf(name);
    const isPast = rank === 'past';
    const pinned = this.#retention.isPinned(name);
    const pastNeeds = isPast ? past.bytes + this.#reservedPast + bytes - this.#pastLimit : 0;
    const needs = this.bytes + this.#reserved + bytes - this.#limit;
    if (this.#evictionPaused && needs > 0) return undefined;
    if (pastNeeds > past.bytes) return undefined;
    if (needs > this.#spareFor(rank) && !pinned) return undefined;
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

  /**
   * Evicts at least `bytes` of content for a version, for a disk that is full before the limit is reached.
   * Returns false if this is impossible. For a `past` or `kept` version it evicts lower ranks; for others,
   * `hidden` blobs only.
   */
  giveUp(name: string, bytes: number): boolean {
    if (this.#evictionPaused) return false;
    const { hidden, beside, past } = this.#ranks;
    const rank = this.rankOf(name);
    let spare = hidden.bytes;
    if (rank === 'past' || rank === 'kept') spare += beside.bytes;
    if (rank === 'kept') spare += past.bytes;
    if (spare < bytes) return false;
    for (const until = this.bytes - bytes; this.bytes > until; ) {
      if (!this.#evict(this.#oldest())) return false;
    }
    return true;
  }

  /**
   * Returns all blobs by rank, in their current order of eviction. The `kept` ones are in the order of
   * listAsAdded(), because they are not about to be evicted. 100,000 blobs take some 30 ms without yielding;
   * sorting the `kept` ones would take as long again.
   */
  inOrder(): readonly RankedBlobs[] {
    const { hidden, beside, past, kept } = this.#ranks;
    return [
      { rank: 'hidden', blobs: hidden.list() },
      { rank: 'beside', blobs: beside.list() },
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
        // A tree showed this version until now, so the blob becomes the most recently used one of its new
        // rank.
        if (rankNow === 'hidden' || (rankNow === 'beside' && rank !== 'hidden')) blob.used = ++this.#used;
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

  /** Evicts blobs until the limits hold again, after the blobs `changed` were added or changed rank. */
  #settle(changed: readonly Blob[]): void {
    if (this.#evictionPaused) return;
    this.#trimPast(0);
    if (this.#trim(0)) return;
    // Only `kept` blobs are left. Pinned content may exceed the limit, but unpinned content may not.
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
    while (this.bytes + this.#reserved + more > this.#limit) {
      if (!this.#evict(this.#oldest())) return false;
    }
    return true;
  }

  /** Returns the next blob to be evicted; undefined if only `kept` blobs are left. */
  #oldest(): Blob | undefined {
    const { hidden, beside, past } = this.#ranks;
    return hidden.oldest() ?? beside.oldest() ?? past.oldest();
  }

  /** Returns how many bytes may be evicted for a blob of this rank. */
  #spareFor(rank: Rank): number {
    const { hidden, beside, past } = this.#ranks;
    return hidden.bytes + beside.bytes + (rank === 'beside' ? 0 : past.bytes);
  }

  #evict(blob: Blob | undefined): boolean {
    if (blob === undefined || !this.#remove(blob.key)) return false;
    this.delete(blob.key);
    this.#evictions += 1;
    return true;
  }
}
