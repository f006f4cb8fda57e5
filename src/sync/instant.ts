import type { Clock } from '../base/clock.ts';

/** A time with an mtime's resolution. */
export interface Instant {
  /** Since the epoch. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * How long after the swap the mtime of a publication lies, in milliseconds. If Airflow finished parsing the
 * old content after the new mtime, it would miss the change until its next full interval (30 s). So the swap
 * must come before the mtime. At most 100.
 */
const AHEAD_MS = 90;

/** If the wait for a later second would be longer, the clock has stepped back: then take the next second. */
const LONGEST_WAIT_MS = 2_000;

/**
 * Returns the mtime of the next publication: a little ahead of now, and in a later whole second than the last
 * publication, because Python's pyc check uses size and whole-second mtime. Waits up to 2 s for that second.
 * If the clock stepped back further, returns the second after the last one at once.
 */
export async function chooseInstant(lastSecond: number, clock: Clock, signal: AbortSignal): Promise<Instant> {
  const giveUp = { seconds: lastSecond + 1, nanoseconds: 0 };
  // The sleep may end early, or the clock may step: check again, with a bound.
  for (let attempt = 0; attempt < 4; attempt++) {
    const ahead = clock.now() + AHEAD_MS;
    if (Math.floor(ahead / 1000) > lastSecond) return instantOf(ahead);
    const wait = (lastSecond + 1) * 1000 - ahead;
    if (wait > LONGEST_WAIT_MS) return giveUp;
    await clock.sleep(Math.max(1, Math.ceil(wait)), signal);
  }
  return giveUp;
}

/** Resolves when the instant has passed; at once if the clock has stepped back too far. */
export async function untilPassed(instant: Instant, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; attempt < 4; attempt++) {
    const left = millisecondsOf(instant) - clock.now();
    if (left < 0 || left > LONGEST_WAIT_MS) return;
    await clock.sleep(Math.floor(left) + 1, signal);
  }
}

export function millisecondsOf(instant: Instant): number {
  return instant.seconds * 1000 + instant.nanoseconds / 1e6;
}

export function instantOf(ms: number): Instant {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: Math.min(999_999_999, Math.floor((ms - seconds * 1000) * 1e6)) };
}
