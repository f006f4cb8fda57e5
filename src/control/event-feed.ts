import { RefusedRequest } from './refused-request.ts';
import type { DaemonEvent } from './shapes/events.ts';

type WithoutCommon<Event> = Event extends DaemonEvent ? Omit<Event, 'id' | 'at'> : never;

/** An event as it is passed to the feed. */
export type NewEvent = WithoutCommon<DaemonEvent>;

export interface EventFeedOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Digits and letters that distinguish the ids of this feed from those of an earlier feed. */
  readonly epoch: string;
  /** How many events are remembered. */
  readonly remembered?: number;
  /** Milliseconds between two signs of life. */
  readonly lifeMs?: number;
  /** Maximum number of concurrent listeners. */
  readonly listeners?: number;
}

const REMEMBERED = 1_000;
const LIFE_MS = 15_000;
const LISTENERS = 32;

/**
 * Remembers the last events, and sends events to listeners. The only state of a listener is its position in
 * the remembered events. If a listener is so slow that the event at its position is dropped, it gets a
 * comment and is disconnected.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #remembered: number;
  /** The remembered events, the oldest first, each with its number, which begins at 1. */
  readonly #events: { readonly number: number; readonly text: string }[] = [];
  readonly #waiting = new Set<() => void>();
  #last = 0;
  #listeners = 0;
  #closed = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#remembered = options.remembered ?? REMEMBERED;
  }

  /** The number of current listeners. */
  get listeners(): number {
    return this.#listeners;
  }

  emit(event: NewEvent): void {
    this.#last += 1;
    const id = `${this.#options.epoch}-${this.#last}`;
    const data = { id, at: new Date(this.#options.now()).toISOString(), ...event };
    const text = `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#events.push({ number: this.#last, text });
    if (this.#events.length > this.#remembered) this.#events.shift();
    this.#wake();
  }

  /** Ends all listeners. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /**
   * Returns server-sent events: the remembered events after `lastId`, then new ones; without `lastId`, new
   * ones only. Ends if the feed is closed or the listener is too slow. Throws RefusedRequest
   * `too-many-listeners`.
   */
  listen(lastId: string | undefined, signal: AbortSignal): AsyncIterable<string> {
    const most = this.#options.listeners ?? LISTENERS;
    if (this.#listeners >= most) {
      throw new RefusedRequest(
        'too-many-listeners',
        `${most} clients listen already.`,
        'End one of them, or ask GET /v1/status now and then.',
      );
    }
    return this.#follow(this.#placeAfter(lastId), signal);
  }

  /**
   * Returns the number of the next event for a client that has seen `lastId`. An unknown id counts as older
   * than all events.
   */
  #placeAfter(lastId: string | undefined): number {
    if (lastId === undefined || lastId === '') return this.#last + 1;
    const { epoch } = this.#options;
    const number = lastId.startsWith(`${epoch}-`) ? Number(lastId.slice(epoch.length + 1)) : Number.NaN;
    const isKnown = Number.isSafeInteger(number) && number >= this.#first() - 1 && number <= this.#last;
    return isKnown ? number + 1 : this.#first();
  }

  /** Returns the number of the oldest remembered event. */
  #first(): number {
    return this.#events[0]?.number ?? this.#last + 1;
  }

  async *#follow(from: number, signal: AbortSignal): AsyncGenerator<string> {
    this.#listeners += 1;
    try {
      // Sends this comment immediately, so that the client knows that it is connected.
      yield ': listening\n\n';
      for (let next = from; !signal.aborted; ) {
        const first = this.#first();
        if (next < first) {
          yield ': too slow: events were lost, listen again with Last-Event-ID\n\n';
          return;
        }
        const event = this.#events[next - first];
        if (event !== undefined) {
          yield event.text;
          next += 1;
        } else if (this.#closed) return;
        else if (!(await this.#more(signal))) yield ':\n\n';
      }
    } finally {
      this.#listeners -= 1;
    }
  }

  /**
   * Waits until there may be more events, and then resolves to true; resolves to false if a sign of life is
   * due before.
   */
  #more(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (more: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve(more);
      };
      const wake = (): void => done(true);
      const timer = setTimeout(() => done(false), this.#options.lifeMs ?? LIFE_MS);
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
