import type { Flight } from './single-flight.ts';

interface Waiting {
  readonly bytes: number;
  readonly flight: Flight;
  readonly go: () => void;
}

/**
 * The share of the budget that only urgent callers may use: they find room immediately or wait only for other urgent
 * ones. The share helps requests of at most its size; a larger urgent request waits until other callers release bytes.
 */
const RESERVED_SHARE = 1 / 4;

/** Bounds the bytes held in memory. Urgent callers go first; otherwise in order of arrival. */
export class ByteBudget {
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Resolves when the bytes may be held; return them with `release`. A request for more than the whole budget runs
   * alone.
   */
  async take(bytes: number, flight: Flight): Promise<void> {
    const before = flight.urgent
      ? this.#waiting.some((other) => other.flight.urgent)
      : this.#waiting.length > 0;
    if (before || !this.#fits(bytes, flight)) await this.#wait(bytes, flight);
    else this.#taken += bytes;
  }

  release(bytes: number): void {
    this.#taken -= bytes;
    this.#admit();
  }

  #fits(bytes: number, { urgent }: Flight): boolean {
    const limit = urgent ? this.#limit : this.#limit * (1 - RESERVED_SHARE);
    return this.#taken === 0 || this.#taken + bytes <= limit;
  }

  #wait(bytes: number, flight: Flight): Promise<void> {
    const { signal } = flight;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
        this.#admit();
      };
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const waiting: Waiting = { bytes, flight, go };
      this.#waiting.push(waiting);
      signal.addEventListener('abort', leave);
    });
  }

  #admit(): void {
    for (;;) {
      const urgent = this.#waiting.findIndex(({ flight }) => flight.urgent);
      const next = Math.max(0, urgent);
      const waiting = this.#waiting[next];
      if (waiting === undefined || !this.#fits(waiting.bytes, waiting.flight)) return;
      this.#waiting.splice(next, 1);
      this.#taken += waiting.bytes;
      waiting.go();
    }
  }
}
