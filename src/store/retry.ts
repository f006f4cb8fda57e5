import { setTimeout as delay } from 'node:timers/promises';
import { Deadline } from './deadline.ts';
import { StoreError } from './store-error.ts';

/** How long tries wait for each other. */
export interface Pace {
  /** Rejects when aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** At least 0, below 1. */
  readonly random: () => number;
}

export const SYSTEM_PACE: Pace = {
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
  random: Math.random,
};

/** Milliseconds for a request, its retries included. */
export const DEFAULT_DEADLINE_MS = 30_000;

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 2000;
/** What comes garbled time after time is not mended by more traffic. */
const MAX_CORRUPT = 3;

/**
 * Tries until it succeeds, cannot be mended by another try, or the time is over: exponential backoff with full
 * jitter, from 100 ms to 2 s. A try is given the deadline; a try that succeeds takes it over, to dispose of it.
 *
 * @throws {StoreError} the last try's; `aborted` where the caller's signal is
 */
export async function withRetries<T>(
  attempt: (deadline: Deadline) => Promise<T>,
  options: { readonly signal: AbortSignal; readonly deadlineMs: number; readonly pace: Pace },
): Promise<T> {
  const { signal, deadlineMs, pace } = options;
  const deadline = new Deadline(signal, deadlineMs);
  let last: StoreError | undefined;
  let corrupt = 0;
  try {
    for (let tries = 0; ; tries++) {
      try {
        if (deadline.signal.aborted) throw deadline.signal.reason;
        return await attempt(deadline);
      } catch (error) {
        if (signal.aborted) throw aborted(signal);
        if (deadline.passed) throw last ?? overdue(deadlineMs);
        if (!(error instanceof StoreError && error.retryable)) throw error;
        if (error.code === 'corrupt' && ++corrupt === MAX_CORRUPT) throw error;
        last = error;
      }
      const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** tries);
      await pace.sleep(longest * pace.random(), deadline.signal).catch((error: unknown) => {
        if (!deadline.signal.aborted) throw error;
      });
    }
  } catch (error) {
    deadline.dispose();
    throw error;
  }
}

export function aborted(signal: AbortSignal): StoreError {
  return new StoreError('aborted', '', 'Ask again.', false, { cause: signal.reason });
}

function overdue(milliseconds: number): StoreError {
  return new StoreError(
    'unreachable',
    `no answer within ${milliseconds / 1000} s`,
    'Check --endpoint-url and the network, or wait until the store is back.',
    true,
  );
}
