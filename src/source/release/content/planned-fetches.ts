import { type Deferred, deferred, orAborted } from '../../../base/waiting.ts';
import type { RequestPriority } from '../../../store/object-store.ts';
import type { Stop } from '../../../store/stop.ts';
import { type ReadPack, SegmentFetch } from './segment-fetch.ts';
import { MOST_SEGMENT_BYTES, type PackedContent, type Segment, segmentsOf } from './segments.ts';

/**
 * The maximum number of bytes of segments in memory: enough for two whole packs, so that the next one arrives
 * while one is written to the disk, or for many small segments.
 */
const MOST_OPEN_BYTES = 2 * MOST_SEGMENT_BYTES;
/** The maximum number of segments in memory, however small they are. */
const MOST_OPEN = 8;

/** A segment that was planned. */
interface Planned {
  readonly segment: Segment;
  /** Offsets of contents that were not taken yet. */
  readonly left: Set<number>;
  fetch: SegmentFetch | undefined;
  /**
   * Resolves when the segment has room in memory, or is no longer needed. Undefined until a content of it is
   * requested.
   */
  opening: Promise<void> | undefined;
  /**
   * Whether the segment is done or given up. Those of its contents that were not taken are then fetched one
   * by one.
   */
  isSpent: boolean;
}

/** The reason for giving up the rest of a segment that is no longer needed. */
const ENDED = Symbol('ended');

/** Fetches adjacent contents by one request, if a plan says in advance which contents will be requested. */
export class PlannedFetches {
  readonly #read: ReadPack;
  /** The planned segments, by pack. */
  readonly #planned = new Map<string, Planned[]>();
  readonly #open = new Set<Planned>();
  readonly #queue: Deferred<void>[] = [];

  constructor(read: ReadPack) {
    this.#read = read;
  }

  /** The bytes of all segments in memory. */
  get openBytes(): number {
    let bytes = 0;
    for (const { segment } of this.#open) bytes += segment.end - segment.start;
    return bytes;
  }

  /**
   * Announces contents that will be requested.
   *
   * @param contents sorted by pack, and within a pack by offset: the order in which they will be requested
   * @returns a function that ends the plan
   */
  plan(contents: readonly PackedContent[]): () => void {
    const planned = segmentsOf(contents).map(
      (segment): Planned => ({
        segment,
        left: new Set(segment.offsets),
        fetch: undefined,
        opening: undefined,
        isSpent: false,
      }),
    );
    for (const each of planned) {
      const { pack } = each.segment;
      this.#planned.set(pack, [...(this.#planned.get(pack) ?? []), each]);
    }
    return () => {
      for (const each of planned) this.#spend(each);
    };
  }

  /**
   * Returns the bytes of a planned content, from a segment that is in memory, in flight, or about to be
   * fetched. Returns undefined if the caller must fetch the content by itself, because it is not planned or a
   * reader would have to wait for room in memory. Rejects with the store's error.
   */
  async take(
    { pack, offset, size }: PackedContent,
    priority: RequestPriority,
    signal: Stop,
  ): Promise<Uint8Array | undefined> {
    const planned = this.#planned
      .get(pack)
      ?.find(({ segment, left }) => left.has(offset) && offset + size <= segment.end);
    if (planned === undefined) return undefined;
    if (planned.fetch === undefined && priority === 'demand' && !this.#hasRoom(planned)) return undefined;
    if (planned.fetch === undefined) {
      planned.opening ??= this.#letIn(planned);
      await orAborted(planned.opening, signal);
    }
    const { fetch } = planned;
    if (fetch === undefined) return undefined;
    try {
      const bytes = await fetch.take(offset, size, signal);
      planned.left.delete(offset);
      return bytes;
    } catch (error) {
      if (error === ENDED) return undefined;
      throw error;
    } finally {
      if (planned.left.size === 0) this.#spend(planned);
      else this.#admit();
    }
  }

  /**
   * Call this if a content arrived damaged. It leaves its segment, so that the next attempt fetches it alone.
   */
  refuse({ pack, offset }: PackedContent): void {
    for (const { left } of this.#planned.get(pack) ?? []) left.delete(offset);
  }

  async #letIn(planned: Planned): Promise<void> {
    while (!planned.isSpent && !this.#hasRoom(planned)) {
      const idle = [...this.#open].find(({ fetch }) => fetch?.isIdle === true);
      if (idle !== undefined) {
        this.#spend(idle);
        continue;
      }
      const turn = deferred<void>();
      this.#queue.push(turn);
      await turn.promise;
    }
    if (planned.isSpent) return;
    this.#open.add(planned);
    planned.fetch = new SegmentFetch(planned.segment, this.#read);
    void planned.fetch.ended.then(() => this.#admit());
  }

  /** Wakes the fetches that wait for room. */
  #admit(): void {
    for (const turn of this.#queue.splice(0)) turn.resolve();
  }

  #hasRoom({ segment }: Planned): boolean {
    const { size } = this.#open;
    const bytes = this.openBytes + segment.end - segment.start;
    return size === 0 || (size < MOST_OPEN && bytes <= MOST_OPEN_BYTES);
  }

  #spend(planned: Planned): void {
    if (planned.isSpent) return;
    planned.isSpent = true;
    planned.left.clear();
    planned.fetch?.giveUp(ENDED);
    this.#open.delete(planned);
    const { pack } = planned.segment;
    const others = (this.#planned.get(pack) ?? []).filter((each) => each !== planned);
    if (others.length > 0) this.#planned.set(pack, others);
    else this.#planned.delete(pack);
    this.#admit();
  }
}
