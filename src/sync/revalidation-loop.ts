import type { Clock } from '../base/clock.ts';
import { pauseAfter } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { childOf, type Deferred, deferred } from '../base/waiting.ts';
import { HintPace } from './hint-pace.ts';

export interface RevalidationLoopOptions<Outcome extends { readonly kind: string }> {
  /**
   * Runs one revalidation. `accept` is the id of a tree that may pass the guard. `asked` says whether a
   * request waits for the revalidation, or a hint came. Does not reject.
   */
  readonly revalidate: (accept: string | undefined, signal: AbortSignal, asked: boolean) => Promise<Outcome>;
  readonly pollMs: number;
  readonly clock: Clock;
  /** For a revalidation that ended `waiting`: milliseconds until the wait ends. */
  readonly waitingLeftMs: () => number;
  /**
   * Returns the first time after `time` at which a revalidation must begin that cannot wait for the next
   * poll; infinite if there is none. Milliseconds since the epoch.
   */
  readonly dueAfter?: (time: number) => number;
}

/** The result of a request. It is never `waiting`, because that is not final. */
export type Settled<Outcome> = Exclude<Outcome, { readonly kind: 'waiting' }>;

interface Request<Outcome> extends Deferred<Settled<Outcome>> {
  readonly accept: string | undefined;
}

/** The share by which the poll interval varies, so that the nodes of a fleet do not list at the same time. */
const JITTER = 0.1;

/**
 * Revalidates on the poll interval, on request and on hints; one revalidation runs at a time. A revalidation
 * answers only requests that arrived before it began, and all waiting requests share the next one. While a
 * tree waits for objects, the requests wait, too. Hints share the next revalidation as well. HintPace may
 * delay that revalidation, because senders may send hints at any rate.
 */
export class RevalidationLoop<Outcome extends { readonly kind: string }> {
  readonly #options: RevalidationLoopOptions<Outcome>;
  #waiting: Request<Outcome>[] = [];
  #wake: (() => void) | undefined;
  /**
   * Resolves when the revalidation begins that serves all hints up to now; undefined if there are no hints.
   */
  #hinted: Deferred<void> | undefined;
  readonly #pace = new HintPace();
  /** Set during a pause. Ends the pause as soon as a look may follow a hint. */
  #wakeForHint: (() => void) | undefined;
  #over: { readonly reason: unknown } | undefined;

  constructor(options: RevalidationLoopOptions<Outcome>) {
    this.#options = options;
  }

  /**
   * Requests a revalidation, and returns its result. Rejects with the loop's end reason if the loop ends
   * first.
   */
  refresh(accept?: string): Promise<Settled<Outcome>> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    const request = { ...deferred<Settled<Outcome>>(), accept };
    this.#waiting.push(request);
    this.#wake?.();
    return request.promise;
  }

  /**
   * Requests a revalidation as soon as HintPace allows it. Resolves when a revalidation begins after this
   * call. Rejects with the loop's end reason if the loop ends first.
   */
  hint(): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    this.#pace.hinted(this.#options.clock.now());
    if (this.#hinted === undefined) {
      this.#hinted = deferred<void>();
      // Callers need not await this promise, so its rejection must not count as unhandled.
      this.#hinted.promise.catch(() => undefined);
      this.#wakeForHint?.();
    }
    return this.#hinted.promise;
  }

  /**
   * Runs the loop until the signal is aborted. Resolves when no revalidation runs any more. `delayMs` is the
   * time until the first poll, which comes earlier if a revalidation is due before that.
   */
  async run(signal: AbortSignal, delayMs: number = this.#interval()): Promise<void> {
    let delay = Math.min(delayMs, this.#dueIn(this.#options.clock.now()));
    let serving: readonly Request<Outcome>[] = [];
    try {
      for (;;) {
        await this.#pause(delay, signal);
        signal.throwIfAborted();
        const accept = this.#waiting.find((request) => request.accept !== undefined)?.accept;
        serving = [...serving, ...this.#take(accept)];
        const isHinted = this.#takeHints();
        const began = this.#options.clock.now();
        const outcome = await this.#options.revalidate(accept, signal, isHinted || serving.length > 0);
        // A failure caused by the requested end is not a result.
        if (outcome.kind === 'failed') signal.throwIfAborted();
        if (isSettled(outcome)) {
          for (const request of serving) request.resolve(outcome);
          serving = [];
        }
        delay = Math.min(this.#delayAfter(outcome.kind), this.#dueIn(began));
      }
    } catch (error) {
      this.#over = { reason: error };
      for (const request of [...serving, ...this.#waiting]) request.reject(error);
      this.#hinted?.reject(error);
      this.#waiting = [];
      if (!signal.aborted) throw error;
    }
  }

  /**
   * Returns how soon the next revalidation is due, after one that began at `began`. A time up to then does
   * not count any more: if that revalidation could not do the work, another one right after it cannot either.
   */
  #dueIn(began: number): number {
    const { dueAfter, clock } = this.#options;
    return dueAfter === undefined ? Number.POSITIVE_INFINITY : Math.max(0, dueAfter(began) - clock.now());
  }

  /** Takes all hints that have come. Returns whether there were any. */
  #takeHints(): boolean {
    if (this.#hinted === undefined) return false;
    this.#hinted.resolve();
    this.#hinted = undefined;
    this.#pace.looked(this.#options.clock.now());
    return true;
  }

  /**
   * Takes all waiting requests, except those that accept another id, because a revalidation can accept only
   * one id.
   */
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
      // This aborts the sleep of #hintDue(), too.
      wake();
      release();
    }
  }

  /** Resolves when a look may begin because of the hints. Hints that come meanwhile may delay the look. */
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
