import type { Clock } from '../base/clock.ts';
import { setPublishTime } from '../tree/index.ts';
import { chooseInstant, type Instant, millisecondsOf, untilPassed } from './instant.ts';
import type { Persister, Presenter, Publication } from './ports.ts';

export interface PublishOptions {
  readonly publication: Publication;
  readonly number: number;
  /** The whole second of the last publication. */
  readonly lastSecond: number;
  /** The generation is not shown before this time, in milliseconds since the epoch; undefined: no limit. */
  readonly notBefore?: number | undefined;
  readonly persister: Pick<Persister, 'commit'>;
  readonly presenter: Presenter;
  /** Called synchronously right before the presenter: from here on the kernel may see the new ids. */
  readonly swapping: (instant: Instant) => void;
  readonly clock: Clock;
  readonly observeStage: (stage: 'swap' | 'notify', seconds: number) => void;
  readonly signal: AbortSignal;
}

/** The longest time until a changed clock is noticed. */
const LONGEST_SLEEP_MS = 1_000;
/**
 * The maximum number of instants that are tried, if an instant passes before the swap because committing took
 * too long.
 */
const MOST_INSTANTS = 3;

/** Resolves at the time `at`, in milliseconds since the epoch; at once if `at` is undefined. */
export async function untilDue(at: number | undefined, clock: Clock, signal: AbortSignal): Promise<void> {
  const left = (): number => (at === undefined ? 0 : at - clock.now());
  while (left() > 0) {
    await clock.sleep(Math.min(left(), LONGEST_SLEEP_MS), signal);
  }
}

/**
 * The stages "swap" and "notify". Dates the generation with an instant a little ahead, stores it as the one
 * that a successor takes, and shows it. Resolves with the instant when the instant has passed and the kernel
 * has answered every notification. So a published generation is visible, and none of its mtimes lies in the
 * future.
 */
export async function publish(options: PublishOptions): Promise<Instant> {
  const { publication, persister, presenter, clock, signal } = options;
  // All slow work is done, so nodes that wait for the same instant show the tree within a few milliseconds.
  await untilDue(options.notBefore, clock, signal);
  const began = clock.now();
  let instant = await chooseInstant(options.lastSecond, clock, signal);
  for (let attempt = 1; ; attempt++) {
    setPublishTime(publication.generation, publication.changes, instant, options.number);
    await persister.commit(instant);
    // crash point: committed. A successor shows the new tree; the kernel has none of its ids yet.
    if (clock.now() < millisecondsOf(instant) || attempt === MOST_INSTANTS) break;
    instant = await chooseInstant(options.lastSecond, clock, signal);
  }
  // Ignores aborts from here on: the swap and what follows cannot be separated.
  options.swapping(instant);
  const notified = await presenter.publish(publication);
  const notifyMs = notified?.notifyMs ?? 0;
  options.observeStage('swap', Math.max(0, clock.now() - began - notifyMs) / 1000);
  if (notified !== undefined) options.observeStage('notify', notifyMs / 1000);
  // crash point: notified. Every lookup that starts now sees the new tree.
  await untilPassed(instant, clock, new AbortController().signal);
  return instant;
}
