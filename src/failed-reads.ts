import type { Logger } from './sync/ports.ts';

const FAILED_READS_MS = 1_000;

/** A scan in an outage fails file by file: one line a second stands for all. */
export class FailedReads {
  readonly #log: Logger;
  #failures = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(log: Logger) {
    this.#log = log;
  }

  tell(fields: object): void {
    this.#failures += 1;
    const now = performance.now();
    if (now - this.#told < FAILED_READS_MS) return;
    this.#log.warn({ ...fields, failures: this.#failures }, 'reads failed');
    this.#told = now;
    this.#failures = 0;
  }
}
