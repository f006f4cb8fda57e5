import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds of work between two turns of the event loop, which also serves readers. */
const SLICE_MS = 2;

/** Cuts long work into slices: `if (breath.due()) await breath.take()` in a loop lets everything else run. */
export class Breath {
  #sliceStart = performance.now();
  #looks = 0;

  /** Looks at the clock once in 8 calls. */
  due(): boolean {
    this.#looks = (this.#looks + 1) & 7;
    return this.#looks === 0 && performance.now() - this.#sliceStart >= SLICE_MS;
  }

  async take(): Promise<void> {
    await nextTurn();
    this.#sliceStart = performance.now();
  }
}
