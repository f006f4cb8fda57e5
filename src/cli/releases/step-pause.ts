import { pauseAfter } from '../../base/retry/retry.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import type { Shell } from '../shell.ts';

/** The pause before a step is retried because another writer was faster. Random, so that two do not collide again. */
export function pauseBetweenTries({
  delay,
}: Pick<Shell, 'delay'>): (tries: number, signal: AbortSignal) => Promise<void> {
  return async (tries, signal) => {
    await delay(pauseAfter(RETRIES.step.pauses, tries, Math.random()), signal);
    signal.throwIfAborted();
  };
}
