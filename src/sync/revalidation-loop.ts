import type { Clock } from './ports.ts';
import { childOf, type Deferred, deferred } from './waiting.ts';

export interface RevalidationLoopOptions<Outcome extends { readonly kind: string }> {
  /**
   * One revalidation; `accept` is the id of a tree that the guard lets pass, `asked` whether somebody waits for it.
   * Does not reject.
   */
  readonly revalidate: (accept: string | undefined, signal: AbortSignal, asked: boolean) => Promise<Outcome>;
  readonly pollMs: number;
  readonly clock: Clock;
}

interface Request<Outcome> extends Deferred<Outcome> {
  readonly accept: string | undefined;
}

/** The poll interval differs by so much, so that a fleet does not list in step. */
const JITTER = 0.1;
/** A failed revalidation is tried again after a random time between this and the poll interval. */
const SHORTEST_RETRY_MS = 1_000;

/**
 * Revalidates on the poll interval and when asked to, one at a time. A request is answered by a revalidation that
 * began after it arrived, never by one under way; requests that wait share the next one.
 */
export class RevalidationLoop<Outcome extends { readonly kind: string }> {
  readonly #options: RevalidationLoopOptions<Outcome>;
  #waiting: Request<Outcome>[] = [];
  #wake: (() => void) | undefined;
  #over: { readonly reason: unknown } | undefined;

  constructor(options: RevalidationLoopOptions<Outcome>) {
    this.#options = options;
  }

  /** Rejects with the reason of the loop's end where it ends first. */
  refresh(accept?: string): Promise<Outcome> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    const request = { ...deferred<Outcome>(), accept };
    this.#waiting.push(request);
    this.#wake?.();
    return request.promise;
  }

  /** Resolves when the signal is aborted and nothing is under way. `delayMs`: until the first poll. */
  async run(signal: AbortSignal, delayMs: number = this.#interval()): Promise<void> {
    let delay = delayMs;
    let serving: readonly Request<Outcome>[] = [];
    try {
      for (;;) {
        await this.#pause(delay, signal);
        signal.throwIfAborted();
        const accept = this.#waiting.find((request) => request.accept !== undefined)?.accept;
        serving = this.#take(accept);
        const outcome = await this.#options.revalidate(accept, signal, serving.length > 0);
        // A failure by the end that was asked for is no answer.
        if (outcome.kind === 'failed') signal.throwIfAborted();
        for (const request of serving) request.resolve(outcome);
        serving = [];
        delay = outcome.kind === 'failed' ? this.#retryDelay() : this.#interval();
      }
    } catch (error) {
      this.#over = { reason: error };
      for (const request of [...serving, ...this.#waiting]) request.reject(error);
      this.#waiting = [];
      if (!signal.aborted) throw error;
    }
  }

  /** All requests that wait, except those to accept another id: a revalidation can accept only one. */
  #take(accept: string | undefined): readonly Request<Outcome>[] {
    const isServed = (request: Request<Outcome>): boolean =>
      request.accept === undefined || request.accept === accept;
    const taken = this.#waiting.filter(isServed);
    this.#waiting = this.#waiting.filter((request) => !isServed(request));
    return taken;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0) return;
    const { controller, release } = childOf(signal);
    this.#wake = () => controller.abort();
    try {
      await this.#options.clock.sleep(ms, controller.signal);
    } catch (error) {
      if (signal.aborted || !controller.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
      release();
    }
  }

  #interval(): number {
    return this.#options.pollMs * (1 - JITTER + 2 * JITTER * this.#options.clock.random());
  }

  #retryDelay(): number {
    const { pollMs, clock } = this.#options;
    const shortest = Math.min(SHORTEST_RETRY_MS, pollMs);
    return shortest + clock.random() * (pollMs - shortest);
  }
}
