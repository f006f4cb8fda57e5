import { StoreError } from '../store-error.ts';

/** The lowest accepted speed of a body. */
export interface BodyBounds {
  /** For one body, while a caller waits for it. */
  readonly leastBytesPerSecond: number;
  /** The rate is measured over this many milliseconds of waiting. */
  readonly windowMs: number;
  /**
   * Every body may take this many milliseconds; a longer body also gets the time that it takes at the least rate.
   */
  readonly graceMs: number;
}

/**
 * Up to 64 requests share the network (--concurrency): 512 bytes/s each is 256 kbit/s. A slower network could not
 * transfer a tree, so a slower body is a fault. The window of 15 seconds outlasts a lost packet and its
 * retransmissions; silence ends sooner (5 s, Timeouts.stall). The total bound, for a store that stays just above
 * the least rate: 4 h 34 min for a whole blob (8 MiB), 11 min for a file of 300 KiB.
 */
export const BODY_BOUNDS: BodyBounds = { leastBytesPerSecond: 512, windowMs: 15_000, graceMs: 60_000 };

/** Milliseconds that a body of this length may take, over all of its connections. */
export function longestMs({ leastBytesPerSecond, graceMs }: BodyBounds, length: number): number {
  return graceMs + (length / leastBytesPerSecond) * 1000;
}

/** Measures the rate of a body over the time spent waiting for it: a slow reader is not the store's fault. */
export class BodyRate {
  readonly #bounds: BodyBounds;
  #waitedMs = 0;
  #bytes = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /** @throws {StoreError} `unreachable`: the body is slower than {@link BodyBounds} allows */
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

/** The error for a body that used up its total time. */
export function overdueBody(milliseconds: number): StoreError {
  return slow(`its content did not come within ${Math.round(milliseconds / 1000)} s`);
}

function slow(detail: string): StoreError {
  const hint =
    'Check the network to the store, or lower --concurrency if many requests share a slow network.';
  return new StoreError('unreachable', detail, hint, true);
}
