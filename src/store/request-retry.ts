import { retry } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import type { Deadline } from './deadline.ts';
import type { Stop } from './stop.ts';
import { StoreError } from './store-error.ts';

/** How to pause between tries. */
export interface Yielder {
  /** Ends early when `stop` aborts. */
  readonly sleep: (milliseconds: number, stop: Stop) => Promise<unknown>;
  /** At least 0, below 1. */
  readonly random: () => number;
}

export const SYSTEM_PACE: Yielder = {
  sleep: (milliseconds, stop) =>
    new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stop.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      stop.addEventListener('abort', end);
    }),
  random: Math.random,
};

/** Milliseconds for a request, including its retries. */
export const DEFAULT_DEADLINE_MS = RETRIES.request.deadlineMs;

/**
 * Calls `attempt` until it succeeds, its error is not retryable, the time is over, or all tries of the policy
 * are used up. Starts the deadline's timer, and leaves it running.
 *
 * @throws {StoreError} the error of the last attempt; `unreachable` if the time is over during the first
 *   attempt; `aborted` if the caller's signal is aborted
 */
export function withRetries<T>(
  attempt: () => Promise<T>,
  options: { readonly deadline: Deadline; readonly deadlineMs: number; readonly yielder: Yielder },
): Promise<T> {
  const { deadline, deadlineMs, yielder } = options;
  let last: StoreError | undefined;
  let garbled = 0;
  deadline.start(deadlineMs);
  const tryOnce = async (): Promise<T> => {
    if (deadline.aborted) throw deadline.reason;
    return await attempt();
  };
  return retry(tryOnce, {
    policy: RETRIES.request,
    mayRepair: (error) => {
      if (deadline.passed) throw last ?? overdue(deadlineMs);
      if (deadline.aborted) throw aborted(deadline);
      if (!(error instanceof StoreError && error.retryable)) return false;
      if (error.code === 'corrupt' && ++garbled === RETRIES.garbledAnswer.tries) return false;
      last = error;
      return true;
    },
    sleep: (ms) => yielder.sleep(ms, deadline),
    random: yielder.random,
  });
}

export function aborted({ reason }: Pick<Stop, 'reason'>): StoreError {
  return new StoreError('aborted', '', 'Try again.', false, { cause: reason });
}

function overdue(milliseconds: number): StoreError {
  return new StoreError(
    'unreachable',
    `no answer within ${milliseconds / 1000} s`,
    'Check --endpoint-url and the network, or wait until the store is back.',
    true,
  );
}
