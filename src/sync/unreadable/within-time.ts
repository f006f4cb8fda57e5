import type { Clock } from '../../base/clock.ts';
import { type Stop, Stopper } from '../../store/stop.ts';
import { SyncError } from '../failure.ts';

/** A stop signal for work that may take `ms`: aborts when that time is over, or when `parent` aborts. */
export class TimeLimit extends Stopper {
  readonly #ms: number;
  readonly #parent: Stop;
  readonly #onAbort = (): void => this.abort(this.#parent.reason);
  readonly #stopAlarm: () => void;
  #isOver = false;

  constructor(ms: number, clock: Pick<Clock, 'alarm'>, parent: Stop) {
    super();
    this.#ms = ms;
    this.#parent = parent;
    if (parent.aborted) this.#onAbort();
    parent.addEventListener('abort', this.#onAbort);
    this.#stopAlarm = clock.alarm(ms, () => {
      this.#isOver = true;
      this.abort(new Error('its time is over'));
    });
  }

  /** Must be called when the work has ended. */
  end(): void {
    this.#parent.removeEventListener('abort', this.#onAbort);
    this.#stopAlarm();
  }

  /** Returns what to report for an error of the work: SyncError `overdue` if the time was over. */
  errorFor(error: unknown): unknown {
    if (!this.#isOver || this.#parent.aborted) return error;
    return new SyncError(
      'overdue',
      `It had not come whole after ${Math.round(this.#ms / 1000)} s.`,
      'Look at the object, and at the way to the store.',
    );
  }
}

/** Aborts `run` after `ms` and rejects with SyncError `overdue`; otherwise settles as `run` does. */
export async function withinTime<T>(
  ms: number,
  clock: Pick<Clock, 'alarm'>,
  signal: Stop,
  run: (signal: Stop) => Promise<T>,
): Promise<T> {
  const limit = new TimeLimit(ms, clock, signal);
  try {
    return await run(limit);
  } catch (error) {
    throw limit.errorFor(error);
  } finally {
    limit.end();
  }
}
