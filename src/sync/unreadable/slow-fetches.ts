import type { Clock } from '../../base/clock.ts';
import { MOST_NAMED } from './failed-object.ts';
import type { WaitingView } from './object-wait.ts';

/** A fetch that takes longer is named in the status. */
const SLOW_MS = 5_000;

/** Tracks fetches in progress, because the first tree may wait for a slow fetch that has not even failed. */
export class SlowFetches {
  readonly #clock: Clock;
  /** The start time of each fetch, by path, the oldest first. */
  readonly #running = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async watched<T>(path: string, run: () => Promise<T>): Promise<T> {
    this.#running.set(path, this.#clock.now());
    try {
      return await run();
    } finally {
      this.#running.delete(path);
    }
  }

  /** The fetches that take long; undefined if all fetches began a moment ago. */
  get view(): WaitingView | undefined {
    const latest = this.#clock.now() - SLOW_MS;
    const slow = [...this.#running].filter(([, since]) => since <= latest);
    const [first] = slow;
    if (first === undefined) return undefined;
    const objects = slow
      .slice(0, MOST_NAMED)
      .map(([path]) => ({ path, detail: 'it has been asked for, and has not come whole' }));
    return { since: first[1], until: undefined, files: slow.length, objects };
  }
}
