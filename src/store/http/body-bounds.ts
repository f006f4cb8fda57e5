import { StoreError } from '../store-error.ts';

/** The lowest accepted speed of a body. */
export interface BodyBounds {
  /** The minimum rate of one body, measured while a caller waits for its bytes. */
  readonly leastBytesPerSecond: number;
  /** The rate is measured over this many milliseconds of waiting. */
  readonly windowMs: number;
  /**
   * The total time that a body may take is this many milliseconds, plus the time that its length takes at the
   * minimum rate.
   */
  readonly graceMs: number;
}

/**
 * Up to 96 requests share the network (--concurrency): with 340 bytes/s each, they take 261 kbit/s. A slower
 * network could not transfer a tree, so a slower body is a fault. The window of 15 seconds is longer than a
 * lost packet and its retransmissions take; a body that sends nothing ends sooner (5 s, Timeouts.stall). From
 * a store that stays just above the minimum rate, a whole blob (8 MiB) may take 6 h 52 min, and a file of 300
 * KiB 16 min.
 */
export const BODY_BOUNDS: BodyBounds = { leastBytesPerSecond: 340, windowMs: 15_000, graceMs: 60_000 };

/** Milliseconds that a body of this length may take, over all of its connections. */
export function longestMs({ leastBytesPerSecond, graceMs }: BodyBounds, length: number): number {
  return graceMs + (length / leastBytesPerSecond) * 1000;
}

/**
 * Measures the rate of a body over the time spent waiting for its bytes, because a slow reader is not the
 * store's fault.
 */
export class BodyRate {
  readonly #bounds: BodyBounds;
  #waitedMs = 0;
  #bytes = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /**
   * Notes that `bytes` bytes arrived after `waitedMs` milliseconds of waiting.
   *
   * @throws {StoreError} `unreachable`: the body is slower than {@link BodyBounds} allows
   */
  received(bytes: number, waitedMs: number): void {
    const { windowMs, leastBytesPerSecond } = this.#bounds;
    this.#waitedMs += waitedMs;
    this.#bytes += bytes;
    if (this.#waitedMs < windowMs) return;
    const rate = (this.#bytes / this.#waitedMs) * 1000;
    this.#waitedMs = 0;
    this.#bytes = 0;
    if (rate < leastBytesPerSecond) throw slow(`its content came at ${Math.round(rate)} bytes a second`);
  }
}

/** Returns the error for a body that used up its total time. */
export function overdueBody(milliseconds: number): StoreError {
  return slow(`its content did not come within ${Math.round(milliseconds / 1000)} s`);
}

function slow(detail: string): StoreError {
  const hint =
    'Check the network to the store, or lower --concurrency if many requests share a slow network.';
  return new StoreError('unreachable', detail, hint, true);
}
