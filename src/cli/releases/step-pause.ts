import type { Shell } from '../shell.ts';

const FIRST_PAUSE_MS = 200;

/**
 * The pause before a step is tried again because another deploy was faster. It doubles with each try; a random factor
 * keeps two deploys from colliding again.
 */
export function pauseBetweenTries({
  delay,
}: Pick<Shell, 'delay'>): (tries: number, signal: AbortSignal) => Promise<void> {
  return async (tries, signal) => {
    await delay(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random()), signal);
    signal.throwIfAborted();
  };
}
