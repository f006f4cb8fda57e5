import type { Logger } from '../base/logger.ts';
import { errnoOf } from '../session/errno.ts';
import type { FetchResult } from '../session/messages.ts';
import type { ReadResult } from '../sync/read-through.ts';

const FAILED_READS_MS = 1_000;

/** Logs failed reads, at most one line a second, because a scan during an outage fails for each file. */
export class FailedReads {
  readonly #log: Logger;
  #failures = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Passes the result of a read to the session, and logs a failure. */
  told(path: string, result: ReadResult): FetchResult {
    if (result.kind !== 'error') return result;
    const { failure, code } = result;
    this.tell({ path, errno: errnoOf(failure), code });
    return { kind: 'error', failure };
  }

  tell(fields: object): void {
    this.#failures += 1;
    const now = performance.now();
    if (now - this.#told < FAILED_READS_MS) return;
    this.#log.warn(
      { event: 'reads-failed', ...fields, failures: this.#failures },
      'reads failed: `failures` since the last such line, of which `path` is the last',
    );
    this.#told = now;
    this.#failures = 0;
  }
}
