import { type Stop, Stopper } from '../store/stop.ts';

export type { Stop };

/** Work that several callers may share. */
export interface Flight {
  /** Aborts when no caller waits any more. */
  readonly signal: Stop;
  /** Whether an urgent caller waits, or has waited, for this work. */
  readonly urgent: boolean;
}

/** A caller that waits for the work. */
export interface Waiter {
  readonly signal: Stop;
  readonly urgent: boolean;
}

interface Running<T> extends Flight {
  readonly signal: Stopper;
  readonly result: Promise<T>;
  urgent: boolean;
  waiters: number;
}

/**
 * Runs the work for a key once, for all concurrent callers. A caller that stops waiting does not end the work
 * for the others. When the last caller stops waiting, the work is aborted. There is never more than one piece
 * of work per key: a caller that arrives while aborted work is ending waits for that end, and then starts new
 * work.
 */
export class SingleFlight<T> {
  readonly #running = new Map<string, Running<T>>();

  get size(): number {
    return this.#running.size;
  }

  run(key: string, waiter: Waiter, work: (flight: Flight) => Promise<T>): Promise<T> {
    const { signal, urgent } = waiter;
    if (signal.aborted) return Promise.reject(signal.reason);
    const running = this.#running.get(key);
    if (running === undefined) return this.#wait(this.#start(key, urgent, work), signal);
    if (running.signal.aborted) return settled(running.result).then(() => this.run(key, waiter, work));
    running.urgent ||= urgent;
    return this.#wait(running, signal);
  }

  /** Aborts all work and waits for its end. */
  async end(reason: unknown): Promise<void> {
    const running = [...this.#running.values()];
    for (const { signal } of running) signal.abort(reason);
    await Promise.all(running.map(({ result }) => settled(result)));
  }

  #start(key: string, urgent: boolean, work: (flight: Flight) => Promise<T>): Running<T> {
    const flight = { signal: new Stopper(), urgent, waiters: 0 };
    const result = work(flight);
    const running: Running<T> = Object.assign(flight, { result });
    this.#running.set(key, running);
    const forget = (): void => {
      this.#running.delete(key);
    };
    result.then(forget, forget);
    return running;
  }

  #wait(running: Running<T>, signal: Stop): Promise<T> {
    running.waiters += 1;
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        running.waiters -= 1;
        if (running.waiters === 0) running.signal.abort(signal.reason);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave);
      const stay = (): void => signal.removeEventListener('abort', leave);
      running.result.then(
        (value) => {
          stay();
          resolve(value);
        },
        (error: unknown) => {
          stay();
          reject(error);
        },
      );
    });
  }
}

async function settled(result: Promise<unknown>): Promise<void> {
  await result.then(nothing, nothing);
}

function nothing(): void {}
