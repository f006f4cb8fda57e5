import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 200;

/** Between two tries of a step that others were faster with: longer each time, and never as long as theirs. */
export function pauseBetweenTries(tries: number, signal: AbortSignal): Promise<void> {
  return sleep(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random()), undefined, { signal });
}
