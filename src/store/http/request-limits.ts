import pLimit, { type LimitFunction } from 'p-limit';
import type { RequestPriority } from '../object-store.ts';
import { aborted } from '../retry.ts';
import type { Stop } from '../stop.ts';

/** Of the requests that may be under way, this share is never given to what nobody waits for. */
const RESERVED_SHARE = 1 / 8;

/**
 * Bounds the requests under way. Background requests pass a narrower gate first, so that a reader finds a place at
 * once, or has only other readers before it.
 */
export class RequestLimits {
  readonly #all: LimitFunction;
  readonly #background: LimitFunction;

  constructor(concurrency: number) {
    this.#all = pLimit(concurrency);
    this.#background = pLimit(Math.max(1, concurrency - Math.ceil(concurrency * RESERVED_SHARE)));
  }

  /**
   * Waits for a place; what it resolves with gives the place back, and may be called again.
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
