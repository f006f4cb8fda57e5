/** The Date of an answer has whole seconds and was written some time ago: a smaller difference is none. */
const LEAST_DIFFERENCE_MS = 2_000;

/**
 * The clock of the store, by the Date of its answers. Steps carry times that nodes compare with the store's clock, and the
 * collector counts in them: neither may depend on what a laptop or a CI runner takes for the time.
 */
export class StoreClock {
  readonly #local: () => number;
  #ahead = 0;

  /** @param local milliseconds since the epoch, by the clock of this host */
  constructor(local: () => number) {
    this.#local = local;
  }

  /** Milliseconds since the epoch; by the clock of this host until the store has answered. */
  now(): number {
    return this.#local() + this.#ahead;
  }

  /** Milliseconds by which the store's clock is ahead of that of this host; negative: behind. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Told when an answer arrives. */
  observe(date: string | undefined): void {
    const told = Date.parse(date ?? '');
    if (Number.isNaN(told)) return;
    // Whole seconds were cut off: in the middle of them it is right by half a second.
    const ahead = told + 500 - this.#local();
    this.#ahead = Math.abs(ahead) < LEAST_DIFFERENCE_MS ? 0 : ahead;
  }
}
