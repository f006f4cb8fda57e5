import type { Logger } from '../base/logger.ts';
import type { Problem } from '../tree/index.ts';

/** The maximum number of problems that a log line names; it counts the others. */
const NAMED = 20;

/**
 * Logs which keys are not shown as they are: for the first tree, and whenever the set of these keys changes.
 */
export class ProblemLog {
  readonly #log: Logger;
  #told = JSON.stringify([0, [], undefined]);

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `unnamed`: the number of further problems, by reason. */
  tell(problems: readonly Problem[], unnamed: ReadonlyMap<string, number> = new Map()): void {
    const named = problems.slice(0, NAMED);
    let count = problems.length;
    for (const more of unnamed.values()) count += more;
    const state = JSON.stringify([count, named, problems.at(-1)]);
    if (state === this.#told) return;
    this.#told = state;
    if (count === 0)
      this.#log.info({ event: 'no-keys-left-out', count }, 'every key can be shown under its own name again');
    else
      this.#log.warn(
        { event: 'keys-left-out', count, problems: named },
        'some keys cannot be shown under their own names',
      );
  }
}
