import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { retry } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { codeOf } from './failure.ts';

export interface WaitForStoreOptions {
  /** Milliseconds from the first attempt on; 0: the first failure is final. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Errors that pass while a host starts: no network, no role, an unset clock, an object that the store does
 * not deliver at the moment. Other errors need a repair: a bucket that does not exist, or may not be listed.
 */
const PASSING = new Set([
  'unreachable',
  'throttled',
  'no-credentials',
  'expired',
  'clock-skew',
  'unreadable-ignore-file',
  'release-early',
]);
/**
 * The maximum time that one attempt counts toward the wait, because the clock may be set during the attempt.
 */
const LONGEST_ATTEMPT_MS = 15_000;

/**
 * Retries the start until it succeeds. Rejects with the last error if the start fails permanently, or the
 * time is over.
 */
export async function waitForStore(
  start: () => Promise<unknown>,
  { waitMs, clock, log }: WaitForStoreOptions,
  signal: AbortSignal,
): Promise<void> {
  let waited = 0;
  let began = 0;
  const attempt = async (): Promise<void> => {
    began = clock.now();
    await start();
  };
  await retry(attempt, {
    policy: RETRIES.firstStart,
    mayRepair: (error, tries) => {
      const code = codeOf(error);
      waited += Math.min(LONGEST_ATTEMPT_MS, Math.max(0, clock.now() - began));
      if (signal.aborted || code === undefined || !PASSING.has(code) || waited >= waitMs) return false;
      const leftSeconds = Math.round((waitMs - waited) / 1000);
      const line = { event: 'waiting-for-store', code, detail: String(error), leftSeconds } as const;
      const message = 'nothing was kept that could be shown, and the store does not answer: waiting for it';
      if (tries === 1) log.warn(line, message);
      else log.debug(line, message);
      return true;
    },
    sleep: async (ms) => {
      const rest = Math.min(ms, waitMs - waited);
      await clock.sleep(rest, signal);
      waited += rest;
    },
    random: () => clock.random(),
  });
}
