import { StoreError } from '../store-error.ts';

/** How slowly a body may come. */
export interface BodyBounds {
  /** Of one body, while somebody waits for it. */
  readonly leastBytesPerSecond: number;
  /** Milliseconds of waiting over which that is measured. */
  readonly windowMs: number;
  /** Milliseconds for a body of any length; a longer one has as long more as it takes at the least rate. */
  readonly graceMs: number;
}

/**
 * Up to 32 requests share a line (--concurrency), so that 1 KiB a second each is a line of 256 kbit/s: what is slower is no
 * line that a tree could be fetched over, and what drips is a fault. 15 seconds outlast a lost packet and its
 * retransmissions; silence ends sooner (5 s, Timeouts.stall). A whole blob (8 MiB) has 2 h 18 min, and a file of 300 KiB
 * 6 min: the bound for a store that stays just above the least rate.
 */
export const BODY_BOUNDS: BodyBounds = { leastBytesPerSecond: 1024, windowMs: 15_000, graceMs: 60_000 };

/** Milliseconds that a body of this length may take, all connections together. */
export function longestMs({ leastBytesPerSecond, graceMs }: BodyBounds, length: number): number {
  return graceMs + (length / leastBytesPerSecond) * 1000;
}

/** Measures the rate of a body by the time that is spent waiting for it: a slow reader is not the store's fault. */
export class BodyRate {
  readonly #bounds: BodyBounds;
  #waitedMs = 0;
  #bytes = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /** @throws {StoreError} `unreachable`: it comes more slowly than bodies may */
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

/** All the time that a body may take is over. */
export function overdueBody(milliseconds: number): StoreError {
  return slow(`its content did not come within ${Math.round(milliseconds / 1000)} s`);
}

function slow(detail: string): StoreError {
  const hint = 'Look at the line to the store, or lower --concurrency if many requests share a slow one.';
  return new StoreError('unreachable', detail, hint, true);
}
