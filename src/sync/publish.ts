import type { Clock } from '../base/clock.ts';
import { setPublishTime } from '../tree/index.ts';
import { chooseInstant, type Instant, millisecondsOf, untilPassed } from './instant.ts';
import type { Persister, Presenter, Publication } from './ports.ts';

export interface PublishOptions {
  readonly publication: Publication;
  readonly number: number;
  /** The whole second of the last publication. */
  readonly lastSecond: number;
  readonly persister: Pick<Persister, 'commit'>;
  readonly presenter: Presenter;
  /** Called synchronously right before the presenter: from here on the kernel may see the new ids. */
  readonly swapping: (instant: Instant) => void;
  readonly clock: Clock;
  readonly observeStage: (stage: 'swap' | 'notify', seconds: number) => void;
  readonly signal: AbortSignal;
}

/** Instants tried where committing took longer than an instant may be ahead of the swap. */
const MOST_INSTANTS = 3;

/**
 * The stages "swap" and "notify": dates the generation with an instant a little ahead, makes it the one a
 * successor takes, has it shown, and resolves with the instant once the kernel has answered every notification
 * and the instant has passed: published means visible, and no mtime in it lies in the future.
 */
export async function publish(options: PublishOptions): Promise<Instant> {
  const { publication, persister, presenter, clock, signal } = options;
  const began = clock.now();
  let instant = await chooseInstant(options.lastSecond, clock, signal);
  for (let attempt = 1; ; attempt++) {
    setPublishTime(publication.generation, publication.changes, instant, options.number);
    await persister.commit(instant);
    // crash point: committed. A successor shows the new tree; the kernel has none of its ids yet.
    if (clock.now() < millisecondsOf(instant) || attempt === MOST_INSTANTS) break;
    instant = await chooseInstant(options.lastSecond, clock, signal);
  }
  // From here on an abort is not heeded: the swap and what follows it are one.
  options.swapping(instant);
  const notified = await presenter.publish(publication);
  const notifyMs = notified?.notifyMs ?? 0;
  options.observeStage('swap', Math.max(0, clock.now() - began - notifyMs) / 1000);
  if (notified !== undefined) options.observeStage('notify', notifyMs / 1000);
  // crash point: notified. Every lookup that starts now sees the new tree.
  await untilPassed(instant, clock, new AbortController().signal);
  return instant;
}
