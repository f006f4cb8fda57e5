import type { RequestPriority } from '../object-store.ts';
import { aborted } from '../request-retry.ts';
import type { Stop } from '../stop.ts';

/**
 * This share of the concurrent requests is reserved for readers: background requests never use it, unless the
 * limit is one request.
 */
const RESERVED_SHARE = 1 / 8;

/** A request that waits for a place. */
interface Waiting {
  readonly priority: RequestPriority;
  readonly go: () => void;
}

/**
 * Bounds the concurrent requests: each needs one of a limited number of places. Background requests first
 * pass a gate that fewer of them may pass. So a reader's request starts at once, or waits only for other
 * readers and for background requests that passed the gate before it.
 *
 * p-limit is not used. With one limiter for each gate, every fetched object would need one more promise at
 * each limiter.
 */
export class RequestLimits {
  readonly #limit: number;
  readonly #backgroundLimit: number;
  /** The number of requests that have a place. */
  #running = 0;
  /** The number of background requests that passed their gate: each has a place, or is in `#waiting`. */
  #passed = 0;
  /** Requests that wait for a place, in order of arrival. Those in `#beforeGate` wait for the gate first. */
  readonly #waiting = new Set<Waiting>();
  readonly #beforeGate = new Set<Waiting>();

  constructor(concurrency: number) {
    this.#limit = concurrency;
    this.#backgroundLimit = Math.max(1, concurrency - Math.ceil(concurrency * RESERVED_SHARE));
  }

  /**
   * Waits for a free place and takes it. The returned function frees the place, and may be called more than
   * once.
   *
   * @throws {StoreError} aborted
   */
  acquire(priority: RequestPriority, stop: Stop): Promise<() => void> {
    if (stop.aborted) return Promise.reject(aborted(stop));
    const isBackground = priority === 'background';
    const mayPass = !isBackground || this.#passed < this.#backgroundLimit;
    if (mayPass) {
      if (isBackground) this.#passed += 1;
      if (this.#running < this.#limit) return Promise.resolve(this.#place(priority));
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        if (this.#beforeGate.delete(waiting)) reject(aborted(stop));
        else if (this.#waiting.delete(waiting)) {
          if (isBackground) this.#leaveGate();
          reject(aborted(stop));
        }
      };
      const go = (): void => {
        stop.removeEventListener('abort', giveUp);
        resolve(this.#place(priority));
      };
      const waiting: Waiting = { priority, go };
      (mayPass ? this.#waiting : this.#beforeGate).add(waiting);
      stop.addEventListener('abort', giveUp);
    });
  }

  /** Takes a place, and returns the function that frees it. */
  #place(priority: RequestPriority): () => void {
    this.#running += 1;
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      this.#running -= 1;
      if (priority === 'background') this.#leaveGate();
      this.#admit();
    };
  }

  #leaveGate(): void {
    this.#passed -= 1;
    const next = first(this.#beforeGate);
    if (next === undefined) return;
    this.#beforeGate.delete(next);
    this.#passed += 1;
    this.#waiting.add(next);
    this.#admit();
  }

  #admit(): void {
    while (this.#running < this.#limit) {
      const next = first(this.#waiting);
      if (next === undefined) return;
      this.#waiting.delete(next);
      next.go();
    }
  }
}

function first(waiting: ReadonlySet<Waiting>): Waiting | undefined {
  for (const each of waiting) return each;
  return undefined;
}
