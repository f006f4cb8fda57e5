import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { pauseAfter } from '../../base/retry/retry.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import { StoreError } from '../../store/store-error.ts';
import type { HintObserver } from '../hint.ts';
import type { EventQueue, QueueMessage } from './event-queue.ts';
import { type ObjectEvent, objectEventsOf } from './object-events.ts';

export interface QueueFollowerOptions {
  readonly queue: EventQueue;
  /** Whether an event is about what is shown. */
  readonly isConcerned: (event: ObjectEvent) => boolean;
  /** Resolves when a look that began after the call begins. */
  readonly hint: () => Promise<void>;
  readonly observer: HintObserver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Messages that wait for a look: a flood of more than that waits in the queue. */
const MOST_WAITING = 20_000;

/**
 * Turns messages of a queue into hints. A message is deleted only after a look that began later than it came: one that
 * this process does not come to follow is received by the next one. A message that is no event is left in the queue,
 * which may have been named by mistake and be someone else's.
 */
export class QueueFollower {
  readonly #options: QueueFollowerOptions;
  #waiting = 0;
  #failures = 0;
  #code: string | undefined;
  #toldStrange = false;
  /** Deletes one batch after another, in the background. */
  #deleting: Promise<void> = Promise.resolve();

  constructor(options: QueueFollowerOptions) {
    this.#options = options;
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const messages = await this.#options.queue.receive(signal);
        this.#recovered();
        const followed = this.#take(messages, signal);
        if (this.#waiting >= MOST_WAITING) await followed;
      } catch (error) {
        if (signal.aborted) break;
        this.#failed(error);
        await this.#pause(signal);
      }
    }
    await this.#deleting;
  }

  /** Resolves when a look for these messages began; never rejects. */
  #take(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void> {
    const { observer, isConcerned, hint } = this.#options;
    const concerned: QueueMessage[] = [];
    const others: QueueMessage[] = [];
    for (const message of messages) {
      const events = objectEventsOf(message.body);
      if (events === undefined) this.#tellStrange();
      else if (events.some(isConcerned)) concerned.push(message);
      else others.push(message);
    }
    const strange = messages.length - concerned.length - others.length;
    if (strange > 0) observer('queue', 'failed', strange);
    if (others.length > 0) {
      observer('queue', 'foreign', others.length);
      this.#delete(others, signal);
    }
    if (concerned.length === 0) return Promise.resolve();
    observer('queue', 'taken', concerned.length);
    this.#waiting += concerned.length;
    return hint().then(
      () => {
        this.#waiting -= concerned.length;
        this.#delete(concerned, signal);
      },
      // The mount ends.
      () => undefined,
    );
  }

  #delete(messages: readonly QueueMessage[], signal: AbortSignal): void {
    this.#deleting = this.#deleting
      .then(() => this.#options.queue.delete(messages, signal))
      .catch((error: unknown) => {
        if (signal.aborted) return;
        this.#options.log.debug(
          { event: 'events-not-deleted', messages: messages.length, ...wordsOf(error) },
          'messages could not be deleted from the queue, and come again',
        );
      });
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const ms = pauseAfter(RETRIES.events.pauses, this.#failures, clock.random());
    await clock.sleep(ms, signal).catch(() => undefined);
  }

  /** Warns when failures begin or their cause changes. */
  #failed(error: unknown): void {
    const words = wordsOf(error);
    this.#failures += 1;
    this.#options.observer('queue', 'failed');
    const message = 'the queue of events cannot be read; changes are found by polling';
    const line = { event: 'events-failed', failures: this.#failures, ...words } as const;
    if (words.code === this.#code) this.#options.log.debug(line, message);
    else this.#options.log.warn(line, message);
    this.#code = words.code;
  }

  #recovered(): void {
    if (this.#failures > 0) {
      this.#options.log.info(
        { event: 'events-recovered', failures: this.#failures },
        'the queue of events can be read again',
      );
    }
    this.#failures = 0;
    this.#code = undefined;
  }

  #tellStrange(): void {
    if (this.#toldStrange) return;
    this.#toldStrange = true;
    this.#options.log.warn(
      { event: 'events-not-understood' },
      'the queue holds messages that are no events of S3; they are left there',
    );
  }
}

function wordsOf(error: unknown): { readonly code: string; readonly detail: string } {
  return error instanceof StoreError
    ? { code: error.code, detail: error.detail }
    : { code: 'internal', detail: String(error) };
}
