import pLimit, { type LimitFunction } from 'p-limit';
import type { RequestPriority } from '../object-store.ts';
import { aborted } from '../request-retry.ts';
import type { Stop } from '../stop.ts';

/** This share of the concurrent requests is reserved for reads: background requests never use it. */
const RESERVED_SHARE = 1 / 8;

/**
 * Bounds the concurrent requests. Background requests pass a narrower gate first, so that a reader starts at once
 * or waits only for other readers.
 */
export class RequestLimits {
  readonly #all: LimitFunction;
  readonly #background: LimitFunction;

  constructor(concurrency: number) {
    this.#all = pLimit(concurrency);
    this.#background = pLimit(Math.max(1, concurrency - Math.ceil(concurrency * RESERVED_SHARE)));
  }

  /**
   * Waits for a free place. The returned function frees it, and may be called again.
   *
   * @throws {StoreError} aborted
   */
  acquire(priority: RequestPriority, stop: Stop): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(aborted(stop));
      if (stop.aborted) {
        giveUp();
        return;
      }
      stop.addEventListener('abort', giveUp);
      const hold = (): Promise<void> =>
        new Promise((release) => {
          stop.removeEventListener('abort', giveUp);
          if (stop.aborted) release();
          else resolve(release);
        });
      const held = priority === 'demand' ? this.#all(hold) : this.#background(() => this.#all(hold));
      held.catch(reject);
    });
  }
}
