import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { codeOf } from './failure.ts';

export interface WaitForStoreOptions {
  /** Milliseconds from the first attempt on; 0: the first failure is the end. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What passes by itself while a host starts: no network yet, no role yet, a clock that was not set yet, an object that the
 * store does not give at the moment. A bucket that does not exist, or may not be listed, is for somebody to repair.
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
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 2_000;
/** What one attempt counts at most: the clock may be set while it waits. */
const LONGEST_ATTEMPT_MS = 15_000;

/** Tries to start until it succeeds, fails for good, or the time is over: then it rejects with the last error. */
export async function waitForStore(
  start: () => Promise<unknown>,
  { waitMs, clock, log }: WaitForStoreOptions,
  signal: AbortSignal,
): Promise<void> {
  let waited = 0;
  for (let attempt = 1; ; attempt++) {
    const before = clock.now();
    try {
      await start();
      return;
    } catch (error) {
      const code = codeOf(error);
      const took = Math.min(LONGEST_ATTEMPT_MS, Math.max(0, clock.now() - before));
      waited += took;
      if (signal.aborted || code === undefined || !PASSING.has(code) || waited >= waitMs) throw error;
      const leftSeconds = Math.round((waitMs - waited) / 1000);
      const line = { event: 'waiting-for-store', code, detail: String(error), leftSeconds } as const;
      const message = 'nothing was kept that could be shown, and the store does not answer: waiting for it';
      if (attempt === 1) log.warn(line, message);
      else log.debug(line, message);
      const pause = SHORTEST_PAUSE_MS + clock.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
      const rest = Math.min(pause, waitMs - waited);
      await clock.sleep(rest, signal);
      waited += rest;
    }
  }
}
