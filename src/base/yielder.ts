import { setImmediate as nextTurn } from 'node:timers/promises';

export interface YielderOptions {
  /** Milliseconds of work between two turns of the event loop; default 8. */
  readonly sliceMs?: number;
  /** due() reads the clock once in this many calls, a power of two. Default 64, for calls some microseconds apart. */
  readonly callsPerLook?: number;
}

/**
 * Divides long work into slices: `if (yielder.due()) await yielder.turn()` in a loop lets the event loop,
 * which also answers readers, run in between. A loop that awaits needs this, too, because resolved promises
 * starve the event loop. Workers that share a yielder pause together.
 */
export class Yielder {
  readonly #sliceMs: number;
  readonly #mask: number;
  #sliceStart = performance.now();
  #calls = 0;
  #turning: Promise<void> | undefined;

  constructor({ sliceMs = 8, callsPerLook = 64 }: YielderOptions = {}) {
    this.#sliceMs = sliceMs;
    this.#mask = callsPerLook - 1;
  }

  /** Whether the slice is over. */
  due(): boolean {
    if (this.#turning !== undefined) return true;
    this.#calls = (this.#calls + 1) & this.#mask;
    return this.#calls === 0 && performance.now() - this.#sliceStart >= this.#sliceMs;
  }

  /** Lets the event loop run once, and begins a slice. */
  turn(): Promise<void> {
    this.#turning ??= nextTurn().then(() => {
      this.#turning = undefined;
      this.#sliceStart = performance.now();
    });
    return this.#turning;
  }
}
