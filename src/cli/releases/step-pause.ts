import type { Shell } from '../shell.ts';

const FIRST_PAUSE_MS = 200;

/** Between two tries of a step that others were faster with: longer each time, and never as long as theirs. */
export function pauseBetweenTries({
  delay,
}: Pick<Shell, 'delay'>): (tries: number, signal: AbortSignal) => Promise<void> {
  return async (tries, signal) => {
    await delay(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random()), signal);
    signal.throwIfAborted();
  };
}
