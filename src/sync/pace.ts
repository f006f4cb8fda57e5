import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds that bookkeeping may hold the main thread's loop, which also answers misses. */
const SLICE_MS = 8;

/**
 * Cuts long work into slices: `if (pace.due()) await pace.turn()` in a loop lets everything else run in between.
 * Needed also where a loop awaits: promises that are already resolved starve the event loop. Workers that share
 * a pace rest together.
 */
export class Pace {
  readonly #sliceMs: number;
  #sliceStart = performance.now();
  #looks = 0;
  #turning: Promise<void> | undefined;

  constructor(sliceMs: number = SLICE_MS) {
    this.#sliceMs = sliceMs;
  }

  /** Looks at the clock once in 64 calls, each of which should be some microseconds of work. */
  due(): boolean {
    if (this.#turning !== undefined) return true;
    this.#looks = (this.#looks + 1) & 63;
    return this.#looks === 0 && performance.now() - this.#sliceStart >= this.#sliceMs;
  }

  turn(): Promise<void> {
    this.#turning ??= nextTurn().then(() => {
      this.#turning = undefined;
      this.#sliceStart = performance.now();
    });
    return this.#turning;
  }
}
