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
  /** Whether an event is about an object that the mount shows. */
  readonly isConcerned: (event: ObjectEvent) => boolean;
  /**
   * Requests a look at the source. Resolves when a look begins; a look that is in progress does not count.
   */
  readonly hint: () => Promise<void>;
  readonly observer: HintObserver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** If this many messages wait for a look, no more are received: they stay in the queue. */
const MOST_WAITING = 20_000;
/**
 * The maximum number of receives at a time, during a burst. Each receive returns at most ten messages, and
 * takes a round trip to the queue.
 */
const MOST_RECEIVERS = 8;
const MOST_DELETERS = 4;
/**
 * If more messages are to be deleted, receivers delete before they receive, because the queue delivers a
 * message again that is not deleted while it is hidden.
 */
const MOST_TO_DELETE = 1_000;

/** The outcome of one receive. */
interface Taken {
  /** How many messages are not S3 events. */
  readonly strange: number;
  /** Resolves when a look has begun after the messages about shown objects arrived; never rejects. */
  readonly followed: Promise<void>;
}

/**
 * Turns messages of a queue into hints. A message about a shown object is deleted only when a look has begun
 * after the message arrived. If this process ends before that, the next process receives the message. A
 * message that is not an S3 event stays in the queue, because the queue may have been named by mistake and
 * belong to another application.
 */
export class QueueFollower {
  readonly #options: QueueFollowerOptions;
  #waiting = 0;
  /** The number of receivers beside the one that waits for messages. */
  #helpers = 0;
  #failures = 0;
  #code: string | undefined;
  #toldStrange = false;
  readonly #toDelete: QueueMessage[] = [];
  #deleters = 0;
  /** The number of consecutive failed deletions. */
  #deletionsFailed = 0;
  /** Work that runs in the background. */
  readonly #running = new Set<Promise<void>>();

  constructor(options: QueueFollowerOptions) {
    this.#options = options;
  }

  /** Follows the queue until the signal is aborted. Then it resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#receive(true, signal);
        this.#recovered();
      } catch (error) {
        if (signal.aborted) break;
        this.#failed(error);
        await this.#pause(this.#failures, signal);
      }
    }
    await Promise.all(this.#running);
  }

  /**
   * Receives messages once, and starts another receiver (a helper) if the answer was full. Returns the number
   * of messages, or 0 if some are not S3 events: the queue may then belong to another application, so helpers
   * do not receive its messages faster than necessary.
   */
  async #receive(waits: boolean, signal: AbortSignal): Promise<number> {
    const { queue } = this.#options;
    while (this.#toDelete.length > MOST_TO_DELETE && !signal.aborted) await this.#deleteSome(signal);
    const messages = await queue.receive({ waits, signal });
    const { strange, followed } = this.#take(messages, signal);
    if (strange === 0 && messages.length >= queue.mostMessages) this.#addHelper(signal);
    if (this.#waiting >= MOST_WAITING) await followed;
    return strange === 0 ? messages.length : 0;
  }

  #addHelper(signal: AbortSignal): void {
    if (this.#helpers >= MOST_RECEIVERS - 1) return;
    this.#helpers += 1;
    this.#inBackground(async () => {
      try {
        while (!signal.aborted && (await this.#receive(false, signal)) > 0);
      } catch {
        // The receiver that waits for messages meets the same failure, and reports it.
      } finally {
        this.#helpers -= 1;
      }
    });
  }

  #take(messages: readonly QueueMessage[], signal: AbortSignal): Taken {
    const { observer, isConcerned, hint } = this.#options;
    const concerned: QueueMessage[] = [];
    const foreign: QueueMessage[] = [];
    for (const message of messages) {
      const events = objectEventsOf(message.body);
      if (events === undefined) this.#tellStrange();
      else if (events.some(isConcerned)) concerned.push(message);
      else foreign.push(message);
    }
    const strange = messages.length - concerned.length - foreign.length;
    if (strange > 0) observer('queue', 'failed', strange);
    if (foreign.length > 0) {
      observer('queue', 'foreign', foreign.length);
      this.#delete(foreign, signal);
    }
    if (concerned.length === 0) return { strange, followed: Promise.resolve() };
    observer('queue', 'taken', concerned.length);
    this.#waiting += concerned.length;
    const followed = hint().then(
      () => {
        this.#waiting -= concerned.length;
        this.#delete(concerned, signal);
      },
      // The hint was rejected because the mount ends.
      () => undefined,
    );
    return { strange, followed };
  }

  #delete(messages: readonly QueueMessage[], signal: AbortSignal): void {
    this.#toDelete.push(...messages);
    // The deleters that already run delete these messages, too.
    if (this.#deleters >= MOST_DELETERS) return;
    this.#deleters += 1;
    this.#inBackground(async () => {
      while (this.#toDelete.length > 0 && !signal.aborted) await this.#deleteSome(signal);
      this.#deleters -= 1;
    });
  }

  async #deleteSome(signal: AbortSignal): Promise<void> {
    const { queue, log } = this.#options;
    const messages = this.#toDelete.splice(0, queue.mostMessages);
    try {
      await queue.delete(messages, signal);
      this.#deletionsFailed = 0;
    } catch (error) {
      if (signal.aborted) return;
      const line = { event: 'events-not-deleted', messages: messages.length, ...wordsOf(error) } as const;
      const message = 'messages could not be deleted from the queue, and come again';
      this.#deletionsFailed += 1;
      if (this.#deletionsFailed === 1) log.warn(line, message);
      else log.debug(line, message);
      // All deleters fail at once and share the count of failures, so at most four failures count for the
      // pause.
      await this.#pause(Math.min(this.#deletionsFailed, 4), signal);
    }
  }

  /** Starts `work`, which must not reject; run() waits for its end. */
  #inBackground(work: () => Promise<void>): void {
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const ms = pauseAfter(RETRIES.events.pauses, failures, clock.random());
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
