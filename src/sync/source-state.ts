import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { type Failure, isSourceDown } from './failure.ts';
import type { SyncNotice } from './notice.ts';

export interface SourceView {
  /** Milliseconds since the epoch, like all times here. */
  readonly lastAttemptAt: number | undefined;
  /** When the last successful revalidation began: the shown tree is as fresh as that. */
  readonly lastSuccessAt: number | undefined;
  readonly consecutiveFailures: number;
  /** When the first of these failures happened. */
  readonly failingSince: number | undefined;
  /** The last failure; undefined once a later revalidation succeeded. */
  readonly lastError: (Failure & { readonly at: number }) | undefined;
}

/** The state of the source: the results of its last revalidations. */
export class SourceState {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notice: (notice: SyncNotice) => void;
  #view: SourceView = {
    lastAttemptAt: undefined,
    lastSuccessAt: undefined,
    consecutiveFailures: 0,
    failingSince: undefined,
    lastError: undefined,
  };

  /** `lastSuccessAt` is the value of an earlier process. */
  constructor(
    clock: Clock,
    log: Logger,
    notice: (notice: SyncNotice) => void = () => undefined,
    lastSuccessAt?: number,
  ) {
    this.#notice = notice;
    this.#view = { ...this.#view, lastSuccessAt };
    this.#clock = clock;
    this.#log = log;
  }

  get view(): SourceView {
    return this.#view;
  }

  /** Whether every request would fail, so that readers need not try one to find out. */
  get isDown(): boolean {
    return isSourceDown(this.#view.lastError?.code);
  }

  began(): number {
    const now = this.#clock.now();
    this.#view = { ...this.#view, lastAttemptAt: now };
    return now;
  }

  succeeded(beganAt: number): void {
    this.#view = { ...this.#view, lastSuccessAt: beganAt };
    this.answered();
  }

  /** Records that the store answers, even if its newest tree is not shown yet. */
  answered(): void {
    const { consecutiveFailures, failingSince } = this.#view;
    if (consecutiveFailures > 0)
      this.#log.info(
        { event: 'source-recovered', failures: consecutiveFailures },
        'the source can be reached again',
      );
    this.#view = {
      ...this.#view,
      consecutiveFailures: 0,
      failingSince: undefined,
      lastError: undefined,
    };
    if (consecutiveFailures > 0) {
      this.#notice({ kind: 'source-recovered', failures: consecutiveFailures, failingSince });
    }
  }

  /**
   * Records a failure. Warns when a failure begins or its cause changes, and logs repetitions at debug level.
   * Before the first tree (`starting`) it logs every failure at debug level, because the caller of start()
   * reports the error.
   */
  failed(failure: Failure, error: unknown, starting: boolean): void {
    const before = this.#view.lastError?.code;
    const consecutiveFailures = this.#view.consecutiveFailures + 1;
    const at = this.#clock.now();
    const failingSince = this.#view.failingSince ?? at;
    this.#view = { ...this.#view, consecutiveFailures, failingSince, lastError: { ...failure, at } };
    if (!starting && before !== failure.code) {
      this.#notice({ kind: 'source-error', error: { ...failure, at } });
    }
    const event = 'revalidation-failed';
    const fields = { ...failure, consecutiveFailures };
    if (starting) this.#log.debug({ event: 'no-first-tree', ...fields }, 'there is no first tree yet');
    else if (failure.code === 'internal')
      this.#log.error(
        { event, ...fields, err: error },
        'the check of the store for changes failed with an unexpected error',
      );
    else if (before !== failure.code)
      this.#log.warn(
        { event, ...fields },
        'the check of the store for changes failed; the shown tree stays unchanged',
      );
    else this.#log.debug({ event, ...fields }, 'the check of the store for changes failed again');
  }
}
