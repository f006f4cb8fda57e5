import type { Clock } from '../base/clock.ts';
import { pauseAfter } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { childOf, type Deferred, deferred } from '../base/waiting.ts';
import { HintPace } from './hint-pace.ts';

export interface RevalidationLoopOptions<Outcome extends { readonly kind: string }> {
  /**
   * One revalidation. `accept` is the id of a tree that may pass the guard; `asked`: a request waits for it, or a hint
   * came. Does not reject.
   */
  readonly revalidate: (accept: string | undefined, signal: AbortSignal, asked: boolean) => Promise<Outcome>;
  readonly pollMs: number;
  readonly clock: Clock;
  /** For a revalidation that ended `waiting`: milliseconds until the wait ends. */
  readonly waitingLeftMs: () => number;
  /** Milliseconds until an action that must not wait for the next poll. */
  readonly dueInMs?: () => number;
}

/** The result of a request: `waiting` is not final. */
export type Settled<Outcome> = Exclude<Outcome, { readonly kind: 'waiting' }>;

interface Request<Outcome> extends Deferred<Settled<Outcome>> {
  readonly accept: string | undefined;
}

/** Varies the poll interval, so that the nodes of a fleet do not list at the same time. */
const JITTER = 0.1;

/**
 * Revalidates on the poll interval, on request and on hints, one at a time. A revalidation answers only requests that
 * arrived before it began; waiting requests share the next one. While a tree waits for objects, the requests wait with
 * it. Hints share the next revalidation too. HintPace may delay it, because senders may send hints at any rate.
 */
export class RevalidationLoop<Outcome extends { readonly kind: string }> {
  readonly #options: RevalidationLoopOptions<Outcome>;
  #waiting: Request<Outcome>[] = [];
  #wake: (() => void) | undefined;
  /** Ends with the revalidation that serves all hints up to now; undefined: there are none. */
  #hinted: Deferred<void> | undefined;
  readonly #pace = new HintPace();
  /** Set during a pause: ends it as soon as a hint may be followed. */
  #wakeForHint: (() => void) | undefined;
  #over: { readonly reason: unknown } | undefined;

  constructor(options: RevalidationLoopOptions<Outcome>) {
    this.#options = options;
  }

  /** Rejects with the loop's end reason if the loop ends first. */
  refresh(accept?: string): Promise<Settled<Outcome>> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    const request = { ...deferred<Settled<Outcome>>(), accept };
    this.#waiting.push(request);
    this.#wake?.();
    return request.promise;
  }

  /** Resolves when a revalidation begins after this call. Rejects with the loop's end reason. */
  hint(): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    this.#pace.hinted(this.#options.clock.now());
    if (this.#hinted === undefined) {
      this.#hinted = deferred<void>();
      // Callers need not await it: its rejection must not count as unhandled.
      this.#hinted.promise.catch(() => undefined);
      this.#wakeForHint?.();
    }
    return this.#hinted.promise;
  }

  /** Resolves when the signal is aborted and no revalidation runs. `delayMs`: until the first poll. */
  async run(signal: AbortSignal, delayMs: number = this.#interval()): Promise<void> {
    let delay = delayMs;
    let serving: readonly Request<Outcome>[] = [];
    try {
      for (;;) {
        await this.#pause(delay, signal);
        signal.throwIfAborted();
        const accept = this.#waiting.find((request) => request.accept !== undefined)?.accept;
        serving = [...serving, ...this.#take(accept)];
        const isHinted = this.#takeHints();
        const outcome = await this.#options.revalidate(accept, signal, isHinted || serving.length > 0);
        // A failure caused by the requested end is not a result.
        if (outcome.kind === 'failed') signal.throwIfAborted();
        if (isSettled(outcome)) {
          for (const request of serving) request.resolve(outcome);
          serving = [];
        }
        delay = Math.min(
          this.#delayAfter(outcome.kind),
          Math.max(0, this.#options.dueInMs?.() ?? Number.POSITIVE_INFINITY),
        );
      }
    } catch (error) {
      this.#over = { reason: error };
      for (const request of [...serving, ...this.#waiting]) request.reject(error);
      this.#hinted?.reject(error);
      this.#waiting = [];
      if (!signal.aborted) throw error;
    }
  }

  /** Returns whether there were any. */
  #takeHints(): boolean {
    if (this.#hinted === undefined) return false;
    this.#hinted.resolve();
    this.#hinted = undefined;
    this.#pace.looked(this.#options.clock.now());
    return true;
  }

  /** All waiting requests, except those that accept another id: a revalidation can accept only one. */
  #take(accept: string | undefined): readonly Request<Outcome>[] {
    const isServed = (request: Request<Outcome>): boolean =>
      request.accept === undefined || request.accept === accept;
    const taken = this.#waiting.filter(isServed);
    this.#waiting = this.#waiting.filter((request) => !isServed(request));
    return taken;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0) return;
    const { clock } = this.#options;
    const { controller, release } = childOf(signal);
    const wake = (): void => controller.abort();
    this.#wake = wake;
    this.#wakeForHint = () => {
      this.#hintDue(controller.signal).then(wake, () => undefined);
    };
    if (this.#hinted !== undefined) this.#wakeForHint();
    try {
      await clock.sleep(ms, controller.signal);
    } catch (error) {
      if (signal.aborted || !controller.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
      this.#wakeForHint = undefined;
      // Ends the sleep for a hint, too.
      wake();
      release();
    }
  }

  /** Resolves when a look for the hints may begin; hints that come meanwhile may delay it. */
  async #hintDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const waitMs = this.#pace.waitMs(clock.now());
      if (waitMs === 0) return;
      await clock.sleep(waitMs, signal);
    }
  }

  #delayAfter(kind: string): number {
    if (kind === 'failed') return this.#retryDelay();
    if (kind !== 'waiting') return this.#interval();
    // Objects that a tree waits for are retried at this pace, however long the poll interval is.
    const { leastMs, mostMs } = RETRIES.waitingTree.pauses;
    const shortest = Math.min(leastMs, this.#options.pollMs);
    return Math.max(shortest, Math.min(this.#retryDelay(), mostMs, this.#options.waitingLeftMs()));
  }

  #interval(): number {
    return this.#options.pollMs * (1 - JITTER + 2 * JITTER * this.#options.clock.random());
  }

  #retryDelay(): number {
    const { pollMs, clock } = this.#options;
    return pauseAfter(RETRIES.revalidation.pauses, 1, clock.random(), pollMs);
  }
}

function isSettled<Outcome extends { readonly kind: string }>(outcome: Outcome): outcome is Settled<Outcome> {
  return outcome.kind !== 'waiting';
}
