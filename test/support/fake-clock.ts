import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

/** After so many turns of the event loop, work in memory is done, unless it waits for time or I/O. */
const TURNS = 12;
/** Ends a test that would hang; long on purpose. */
const PATIENCE_MS = 120_000;

/** Time stands still until the test advances it; then every timer fires at its own time. */
export class FakeClock implements Clock {
  #now: number;
  /** Elapsed time; `step` does not change it. */
  #elapsed = 0;
  readonly #timers = new Set<Timer>();
  readonly #randoms: number[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Sets the next values of `random`, which is 0.5 otherwise. */
  nextRandoms(...values: readonly number[]): void {
    this.#randoms.push(...values);
  }

  random(): number {
    return this.#randoms.shift() ?? 0.5;
  }

  /** Sets the clock as an administrator would: timers keep their remaining time. */
  step(ms: number): void {
    this.#now += ms;
  }

  /** The number of sleeps under way. */
  get sleeping(): number {
    return this.#timers.size;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = (): void => {
        this.#timers.delete(timer);
        reject(signal.reason);
      };
      const timer: Timer = {
        due: this.#elapsed + ms,
        fire: () => {
          this.#timers.delete(timer);
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#timers.add(timer);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  alarm(ms: number, ring: () => void): () => void {
    const timer: Timer = {
      due: this.#elapsed + ms,
      fire: () => {
        this.#timers.delete(timer);
        ring();
      },
    };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Runs everything that needs no time. */
  async settle(): Promise<void> {
    for (let count = 0; count < TURNS; count++) await turn();
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      await this.settle();
      const next = this.#next();
      if (next === undefined || next.due > end) break;
      this.#pass(next.due - this.#elapsed);
      next.fire();
    }
    this.#pass(end - this.#elapsed);
    await this.settle();
  }

  /** Lets time pass until the promise settles. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = (): void => {
      over = true;
    };
    promise.then(done, done);
    for (let steps = 0; ; steps++) {
      await this.settle();
      if (over) return promise;
      const next = this.#next();
      if (next === undefined || steps > 10_000) throw new Error('nothing is left that could resolve it');
      this.#pass(next.due - this.#elapsed);
      next.fire();
    }
  }

  /** As `drive`, for code that uses files or HTTP: time passes, 10 ms at a time, only while nothing else happens. */
  async driveWithIo<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = (): void => {
      over = true;
    };
    promise.then(done, done);
    const deadline = Date.now() + PATIENCE_MS;
    while (!over) {
      if (Date.now() > deadline) throw new Error(`nothing came of it within ${PATIENCE_MS} ms`);
      await this.advance(10);
    }
    return promise;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.due < next.due) next = timer;
    return next;
  }

  #pass(ms: number): void {
    this.#elapsed += ms;
    this.#now += ms;
  }
}
