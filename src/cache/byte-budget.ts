import type { Flight } from './single-flight.ts';

interface Waiting {
  readonly bytes: number;
  readonly flight: Flight;
  readonly go: () => void;
}

/**
 * The share of the budget that only urgent callers may use. With it, an urgent caller gets bytes immediately
 * or waits only for other urgent callers. This holds for requests of at most the share's size: a larger
 * urgent request waits until other callers release bytes.
 */
const RESERVED_SHARE = 1 / 4;

const TAKEN = Promise.resolve();

/**
 * Bounds the bytes that callers hold in memory. Urgent callers get bytes first. Otherwise the order of
 * arrival counts.
 */
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
   * Resolves when the caller may hold the bytes. The caller gives them back with release(). A request for
   * more than the whole budget waits until no other caller holds bytes.
   */
  take(bytes: number, flight: Flight): Promise<void> {
    const before = flight.urgent
      ? this.#waiting.some((other) => other.flight.urgent)
      : this.#waiting.length > 0;
    if (before || !this.#fits(bytes, flight)) return this.#wait(bytes, flight);
    this.#taken += bytes;
    return TAKEN;
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
    if (signal.aborted) return Promise.reject(signal.reason);
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
