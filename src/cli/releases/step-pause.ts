import { pauseAfter } from '../../base/retry/retry.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import type { Shell } from '../shell.ts';

/**
 * Creates the function that waits before a step is retried because another writer was faster. The time is
 * random, so that two writers do not collide again.
 */
export function pauseBetweenTries({
  delay,
}: Pick<Shell, 'delay'>): (tries: number, signal: AbortSignal) => Promise<void> {
  return async (tries, signal) => {
    await delay(pauseAfter(RETRIES.step.pauses, tries, Math.random()), signal);
    signal.throwIfAborted();
  };
}
