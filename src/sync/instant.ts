import type { Clock } from '../base/clock.ts';

/** A moment as a file's mtime has it. */
export interface Instant {
  /** Since the epoch. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * How far ahead of the swap an instant is chosen. A parse of the old content that ends after the mtime of the new
 * would hide the change until Airflow's next full interval (30 s), so the swap must come first; at most 100.
 */
const AHEAD_MS = 90;

/** A wait longer than this for a later second means that the clock stepped back: then increasing wins. */
const LONGEST_WAIT_MS = 2_000;

/**
 * The mtime of what is published next: a little ahead, and in a later whole second than the last publication
 * (Python's pyc check is size and whole-second mtime), for which it waits up to 2 s. Where the clock stepped back
 * by more, it is the next second after the last one, at once.
 */
export async function chooseInstant(lastSecond: number, clock: Clock, signal: AbortSignal): Promise<Instant> {
  const giveUp = { seconds: lastSecond + 1, nanoseconds: 0 };
  // A sleep may end early or the clock step meanwhile: look again, but not for ever.
  for (let attempt = 0; attempt < 4; attempt++) {
    const ahead = clock.now() + AHEAD_MS;
    if (Math.floor(ahead / 1000) > lastSecond) return instantOf(ahead);
    const wait = (lastSecond + 1) * 1000 - ahead;
    if (wait > LONGEST_WAIT_MS) return giveUp;
    await clock.sleep(Math.max(1, Math.ceil(wait)), signal);
  }
  return giveUp;
}

/** Resolves once the instant has passed, at once where the clock stepped back so far that it would take long. */
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

function instantOf(ms: number): Instant {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: Math.min(999_999_999, Math.floor((ms - seconds * 1000) * 1e6)) };
}
