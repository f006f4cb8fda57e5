import { deferred, orAborted } from '../../../base/waiting.ts';
import type { Stop } from '../../../store/stop.ts';
import type { Segment } from './segments.ts';

/** Reads bytes of a pack; `end` is exclusive. Rejects with the store's error. */
export type ReadPack = (
  pack: string,
  range: { readonly start: number; readonly end: number },
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

interface Waiter {
  readonly end: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Fetches one segment into memory. A content of it is available as soon as its last byte has come. */
export class SegmentFetch {
  readonly segment: Segment;
  readonly #abort = new AbortController();
  readonly #bytes: Buffer;
  readonly #waiters = new Set<Waiter>();
  #filled = 0;
  #over: { readonly error: unknown } | undefined;
  /** Resolves when no more bytes will arrive. */
  readonly ended: Promise<void>;

  constructor(segment: Segment, read: ReadPack) {
    this.segment = segment;
    // Not from the pool of Buffer, so that the memory of the whole segment is freed at once.
    this.#bytes = Buffer.allocUnsafeSlow(segment.end - segment.start);
    this.ended = this.#fill(read);
  }

  /** Whether the fetch has ended, with all bytes or with an error, and no caller waits for a content. */
  get isIdle(): boolean {
    return this.#over !== undefined && this.#waiters.size === 0;
  }

  /** Waits for a content, and returns a view of its bytes. The view keeps the whole segment in memory. */
  async take(offset: number, size: number, signal: Stop): Promise<Uint8Array> {
    const start = offset - this.segment.start;
    const end = start + size;
    if (this.#filled < end) {
      if (this.#over !== undefined) throw this.#over.error;
      const { promise, resolve, reject } = deferred<void>();
      const waiter = { end, resolve: () => resolve(), reject };
      this.#waiters.add(waiter);
      try {
        await orAborted(promise, signal);
      } finally {
        this.#waiters.delete(waiter);
      }
    }
    return this.#bytes.subarray(start, end);
  }

  /** Gives up the bytes that have not arrived. Calls of take() that wait for them reject with this reason. */
  giveUp(reason: unknown): void {
    this.#abort.abort(reason);
    this.#end(reason);
  }

  async #fill(read: ReadPack): Promise<void> {
    const { pack, start, end } = this.segment;
    const length = end - start;
    try {
      for await (const part of read(pack, { start, end }, this.#abort.signal)) {
        const room = part.subarray(0, length - this.#filled);
        this.#bytes.set(room, this.#filled);
        this.#filled += room.length;
        for (const waiter of this.#waiters) if (waiter.end <= this.#filled) waiter.resolve();
      }
      this.#end(new ShortPack(`${this.#filled} of ${length} bytes came`));
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    this.#over ??= { error };
    for (const waiter of this.#waiters) {
      if (waiter.end > this.#filled) waiter.reject(this.#over.error);
    }
  }
}

/** The pack ends before the content does. */
export class ShortPack extends Error {
  override readonly name = 'ShortPack';
}
