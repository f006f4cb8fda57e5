import type { Problem } from '../tree/index.ts';
import type { Logger } from './ports.ts';

/** Named one by one in a log line; the rest is counted. */
const NAMED = 20;

/** Says which keys are not shown as they are: at the first tree, and whenever that changes. */
export class ProblemLog {
  readonly #log: Logger;
  #told = JSON.stringify([0, [], undefined]);

  constructor(log: Logger) {
    this.#log = log;
  }

  tell(problems: readonly Problem[]): void {
    const named = problems.slice(0, NAMED);
    const state = JSON.stringify([problems.length, named, problems.at(-1)]);
    if (state === this.#told) return;
    this.#told = state;
    if (problems.length === 0) this.#log.info({ count: 0 }, 'every key is shown as it is');
    else this.#log.warn({ count: problems.length, problems: named }, 'keys that cannot be shown as they are');
  }
}
