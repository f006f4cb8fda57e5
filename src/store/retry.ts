import type { Deadline } from './deadline.ts';
import type { Stop } from './stop.ts';
import { StoreError } from './store-error.ts';

/** How long tries wait for each other. */
export interface Yielder {
  /** Ends early when it is stopped. */
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

/** Milliseconds for a request, its retries included. */
export const DEFAULT_DEADLINE_MS = 30_000;

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 2000;
/** What comes garbled time after time is not mended by more traffic. */
const MAX_CORRUPT = 3;
/** Of whatever kind their failures are. With the pauses above they take some 16 s, where each fails at once. */
const MAX_TRIES = 20;

/**
 * Tries until it succeeds, cannot be mended by another try, the time is over, or it was tried 20 times: exponential
 * backoff with full jitter, from 100 ms to 2 s. Starts the clock of the deadline, and leaves it running.
 *
 * @throws {StoreError} the last try's; `aborted` where the caller's signal is
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  options: { readonly deadline: Deadline; readonly deadlineMs: number; readonly yielder: Yielder },
): Promise<T> {
  const { deadline, deadlineMs, yielder } = options;
  let last: StoreError | undefined;
  let corrupt = 0;
  deadline.start(deadlineMs);
  for (let tries = 0; ; tries++) {
    try {
      if (deadline.aborted) throw deadline.reason;
      return await attempt();
    } catch (error) {
      if (deadline.passed) throw last ?? overdue(deadlineMs);
      if (deadline.aborted) throw aborted(deadline);
      if (!(error instanceof StoreError && error.retryable)) throw error;
      if (error.code === 'corrupt' && ++corrupt === MAX_CORRUPT) throw error;
      if (tries + 1 === MAX_TRIES) throw error;
      last = error;
    }
    const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** tries);
    await yielder.sleep(longest * yielder.random(), deadline);
  }
}

export function aborted({ reason }: Pick<Stop, 'reason'>): StoreError {
  return new StoreError('aborted', '', 'Ask again.', false, { cause: reason });
}

function overdue(milliseconds: number): StoreError {
  return new StoreError(
    'unreachable',
    `no answer within ${milliseconds / 1000} s`,
    'Check --endpoint-url and the network, or wait until the store is back.',
    true,
  );
}
