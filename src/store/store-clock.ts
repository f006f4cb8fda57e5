/** One answer of the store: its Date header, and this host's time before the request and after the answer. */
export interface DatedAnswer {
  /** Milliseconds since the epoch, by this host. */
  readonly sent: number;
  readonly received: number;
  /** By the store; whole seconds, rounded down (RFC 9110, 6.6.1). */
  readonly date: number;
}

/** The two clocks drift apart by up to this share of the time between two answers. */
const DRIFT = 0.0005;
const DATE_RESOLUTION_MS = 1000;

/**
 * Estimates the store's time from its Date headers. One Date gives an interval for the offset between the two
 * clocks, as long as one second plus the duration of the request. The estimate is the intersection of the
 * intervals of all Dates, so a few Dates give it far more exactly. If an offset of 0 lies within the
 * intersection, this host's clock is used unchanged: nodes with synchronized clocks (NTP) then agree on an
 * instant to the millisecond.
 */
export class StoreClock {
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;
  #observedAt: number | undefined;

  observe({ sent, received, date }: DatedAnswer): void {
    const widening = Math.abs(received - (this.#observedAt ?? received)) * DRIFT;
    const [least, most] = [date - received, date + DATE_RESOLUTION_MS - sent];
    if (!(least <= most)) return;
    const [known, knownMost] = [this.#least - widening, this.#most + widening];
    // One of the two clocks was set: discard the earlier bounds.
    const agrees = least <= knownMost && known <= most;
    this.#least = agrees ? Math.max(least, known) : least;
    this.#most = agrees ? Math.min(most, knownMost) : most;
    this.#observedAt = received;
  }

  /**
   * Milliseconds to add to this host's time to get the store's; 0 if this host's clock agrees with the Dates.
   */
  get offset(): number {
    if (this.#least <= 0 && this.#most >= 0) return 0;
    return (this.#least + this.#most) / 2;
  }

  /** The largest possible error of the offset, in milliseconds; infinite before the first Date. */
  get uncertainty(): number {
    const { offset } = this;
    return Math.max(offset - this.#least, this.#most - offset);
  }
}
