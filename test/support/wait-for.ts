import { setTimeout as delay } from 'node:timers/promises';

const LONGEST_PAUSE_MS = 250;

/**
 * Asks until the answer is neither undefined nor false. The deadline only ends a test that would hang; it measures
 * nothing, and is long on purpose.
 * @param what completes the sentence "gave up waiting for …"
 * @param deadlineMs milliseconds
 * @param everyMs milliseconds between the first answers; a long wait asks less often
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 120_000,
  everyMs = 20,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  // Most questions start a process, so a busy machine should not have to answer too many.
  for (let pause = everyMs; ; pause = Math.max(everyMs, Math.min(pause * 1.25, LONGEST_PAUSE_MS))) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`gave up waiting for ${what} after ${deadlineMs} ms`);
    await delay(pause);
  }
}
