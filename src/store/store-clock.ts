/** One answer of the store: its Date, and this host's time before the request and after the answer. */
export interface DatedAnswer {
  /** Milliseconds since the epoch, by this host. */
  readonly sent: number;
  readonly received: number;
  /** By the store; whole seconds, rounded down (RFC 9110, 6.6.1). */
  readonly date: number;
}

/** Two clocks drift apart by up to this share of the time between two answers. */
const DRIFT = 0.0005;
const DATE_RESOLUTION_MS = 1000;

/**
 * The store's time, by the Dates of its answers. One Date tells the store's offset to a second, and as much more as its
 * request took; the offset is where all that came so far agree, so that a few Dates tell it far better. Where this
 * host's own clock agrees with them, it is taken as it is: it is better than any of them, and so nodes whose clocks
 * are set (NTP) agree on an instant to the millisecond.
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
    // One of the two clocks was set since: what was known before is void.
    const agrees = least <= knownMost && known <= most;
    this.#least = agrees ? Math.max(least, known) : least;
    this.#most = agrees ? Math.min(most, knownMost) : most;
    this.#observedAt = received;
  }

  /** Milliseconds to be added to this host's time; 0 where its clock is as good as is known. */
  get offset(): number {
    if (this.#least <= 0 && this.#most >= 0) return 0;
    return (this.#least + this.#most) / 2;
  }

  /** Milliseconds by which the offset may be wrong at most; infinite before the first Date. */
  get uncertainty(): number {
    const { offset } = this;
    return Math.max(offset - this.#least, this.#most - offset);
  }
}
