import type { Clock } from '../base/clock.ts';
import { pauseAfter } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { type Deferred, deferred, orAborted } from '../base/waiting.ts';
import { Yielder } from '../base/yielder.ts';
import { boundedForEach } from './bounded-for-each.ts';
import { MARK } from './content-state.ts';
import { EarlyFetch } from './early-fetch.ts';
import type { EtagFindings } from './etag-witness.ts';
import { codeOf, failureOf } from './failure.ts';
import { isLocal } from './fetch-content.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { HeldView } from './held.ts';
import { type FetchMeans, Tally } from './prefetch.ts';
import { isWanted } from './prefetch-bound.ts';
import { type PendingView, Progress } from './progress.ts';
import { Control } from './unreadable/control.ts';
import { type FailedObject, failedObject } from './unreadable/failed-object.ts';
import { fetchInTime } from './unreadable/fetch-in-time.ts';
import { ObjectWait, type WaitingView } from './unreadable/object-wait.ts';
import { reasonToHold } from './unreadable/verdict.ts';

export interface BacklogOptions extends Omit<FetchMeans, 'allowedMs'> {
  readonly clock: Clock;
  /** The longest pause after a store failure. */
  readonly pollMs: number;
  /** How long the tree waits for unreadable objects before it is called ready without them. */
  readonly unreadableWaitMs: number;
  /** Requests a newer listing; resolves with the result. */
  readonly refresh: () => Promise<{ readonly kind: 'current' | 'published' | 'held' | 'failed' }>;
  /** Called if the shown tree has too many unreadable objects to be called ready. */
  readonly onHeld?: (held: HeldView) => void;
  readonly etags?: Pick<EtagFindings, 'revision'> | undefined;
  /** Whether the error alone shows that only this content is unreadable, while the store delivers other content. */
  readonly isOwnFault?: ((error: unknown) => boolean) | undefined;
  /** Whether the first tree is ready only with all of its content. */
  readonly mustBeWhole?: boolean | undefined;
}

/** How a pass over the wanted entries ended. `again`: the store failed, or the tree waits for objects. */
type PassEnd = 'done' | 'again' | 'given-up';

interface StaleEntry {
  readonly index: number;
  readonly error: unknown;
}

/**
 * Fetches the missing content of the shown tree: all of the first tree; later, content that did not fit on
 * disk while two trees were shown, and objects that could not be read. Fetches in index order, breadth first
 * with the files of a directory together, to stay ahead of a scan. A blob recovered from an earlier run
 * counts as local without being read. It is verified when first opened: that costs less than reading a whole
 * cache at start.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #ready: Deferred<void> = deferred();
  readonly #readyAtLast: Deferred<void> = deferred();
  readonly #progress = new Progress();
  readonly #abort = new AbortController();
  readonly #wait: ObjectWait;
  readonly #earlyFetch: EarlyFetch;
  /** Aborts the run over the shown tree. Runs over earlier trees may still wait for their last fetches. */
  #left = new AbortController();
  readonly #runs = new Set<Promise<void>>();
  #isReady = false;
  #pausedBy: string | undefined;
  #held: HeldView | undefined;
  /** The id of the generation that an operator accepted as it is. */
  #accepted: string | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#wait = new ObjectWait(options.clock, options.log, options.unreadableWaitMs);
    this.#earlyFetch = new EarlyFetch(options);
    // Callers need not await `ready`, so its rejection must not count as unhandled.
    this.#ready.promise.catch(() => undefined);
  }

  /**
   * Resolves when nothing is pending for the first time. Rejects with the store's error if the store denies
   * all reads, or if a tree that must be whole lacks content. Then retries continue: see `readyAtLast`.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when nothing is pending for the first time, also after `ready` was rejected. Never rejects. */
  get readyAtLast(): Promise<void> {
    return this.#readyAtLast.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pending(): PendingView {
    return this.#progress.view;
  }

  /** What the shown tree waits for before it is called ready. */
  get waiting(): WaitingView | undefined {
    return this.#wait.view ?? (this.#isReady ? undefined : this.#options.slow.view);
  }

  /** Why the shown tree is not called ready: too many of its objects are unreadable. */
  get held(): HeldView | undefined {
    return this.#held;
  }

  /** Calls the held tree ready as it is, after one more try of its objects. */
  accept(): void {
    this.#accepted = this.#held?.generation;
  }

  /** Begins to fetch content of the first tree, which is about to be shown. Judges nothing before `start`. */
  startAhead(target: FetchTarget): void {
    // A release is fetched by few requests, each for many contents in the order in which they are stored. An
    // early fetch would request contents one by one.
    if (this.#options.planner === undefined) this.#earlyFetch.begin(target);
  }

  /** Stops the early fetch. Call this if the tree is not shown after all. */
  async dropAhead(): Promise<void> {
    await this.#earlyFetch.stop();
  }

  /**
   * Switches to a newly published tree. Fetches in progress continue, and the run over the new tree joins
   * those of its versions. Otherwise frequent publications could keep large files from ever arriving.
   */
  start(target: FetchTarget): void {
    this.#earlyFetch.leave();
    this.#left.abort();
    this.#left = new AbortController();
    const run = this.#work(target, this.#left.signal).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  /** Stops permanently. */
  async stop(): Promise<void> {
    this.#left.abort();
    this.#abort.abort();
    await Promise.all([...this.#runs, this.#earlyFetch.stop()]);
  }

  async #work(target: FetchTarget, left: AbortSignal): Promise<void> {
    const { clock, log, pollMs } = this.#options;
    const yielder = new Yielder();
    let longPause = pollMs;
    try {
      for (;;) {
        const { wanted, awaited } = await this.#plan(target, yielder, left);
        // Objects known to be unreadable do not delay `ready`, even if the store is down.
        if (awaited === 0 && this.#isEnough(target, wanted)) this.#done();
        const known = this.#options.etags?.revision;
        const end = wanted.length === 0 ? 'done' : await this.#pass(target, wanted, yielder, left);
        // The ETag findings changed during the pass: refused objects may be readable now.
        if (end !== 'done' && known !== this.#options.etags?.revision) continue;
        if (end === 'done' || (end === 'given-up' && this.#isEnough(target, wanted))) this.#done();
        if (end === 'done') return;
        longPause = Math.min(2 * longPause, RETRIES.unreadableObject.pauses.longestMs);
        const troubled = pauseAfter(RETRIES.backlog.pauses, 1, clock.random(), pollMs);
        const pause = end === 'given-up' ? longPause : troubled;
        await clock.sleep(pause, left);
      }
    } catch (error) {
      if (left.aborted) return;
      log.error(
        { event: 'backlog-crashed', err: error },
        'the prefetch of shown files stopped with an unexpected error',
      );
    }
  }

  /** Returns wanted entries that are not local; `awaited` of them count for `ready`. Marks others local. */
  async #plan(
    { generation, content, bound }: FetchTarget,
    yielder: Yielder,
    left: AbortSignal,
  ): Promise<{ readonly wanted: Uint32Array; readonly awaited: number }> {
    const { cache, unreadable } = this.#options;
    let wanted = new Uint32Array(1024);
    let count = 0;
    let pendingFiles = 0;
    let pendingBytes = 0;
    for (let index = 0; index < generation.entries; index++) {
      if (yielder.due()) {
        await yielder.turn();
        left.throwIfAborted();
      }
      if (!isWanted(generation, content, index, bound)) continue;
      const version = { name: generation.versionName(index), size: generation.size(index) };
      if (isLocal(cache, version)) {
        content.marks[index] = MARK.local;
        unreadable.readable(version);
        continue;
      }
      if (count === wanted.length) {
        const larger = new Uint32Array(2 * count);
        larger.set(wanted);
        wanted = larger;
      }
      wanted[count++] = index;
      if (unreadable.has(version)) continue;
      pendingFiles += 1;
      pendingBytes += generation.size(index);
    }
    this.#progress.plan(pendingFiles, pendingBytes);
    if (pendingFiles > 0) this.#wait.began();
    return { wanted: wanted.subarray(0, count), awaited: pendingFiles };
  }

  async #pass(
    target: FetchTarget,
    wanted: Uint32Array,
    yielder: Yielder,
    left: AbortSignal,
  ): Promise<PassEnd> {
    const { concurrency, log, unreadable, planner } = this.#options;
    const iterating = { total: wanted.length, concurrency, yielder, signal: this.#abort.signal, until: left };
    const { generation, content } = target;
    const known = this.#options.etags?.revision;
    const isHad = (index: number): boolean => content.marks[index] === MARK.local;
    const control = new Control({ ...this.#options, target, wasHad: isHad });
    const means = {
      ...this.#options,
      allowedMs: (path: string, ms: number) => this.#wait.allowedMs(path, ms),
    };
    const tally = new Tally();
    const stale: StaleEntry[] = [];
    const failed: FailedObject[] = [];
    const plan = planner?.plan(generation, wanted);
    const order = plan?.order ?? wanted;
    try {
      await boundedForEach(iterating, async (at, over) => {
        const index = order[at]!;
        try {
          const fetched = await fetchInTime(means, target, index, over);
          if (left.aborted) return 'next';
          if (fetched.kind === 'stale') {
            stale.push({ index, error: fetched.error });
            // The result of the refresh is not needed here, nor its rejection when the loop ends.
            if (stale.length === 1) this.#options.refresh().catch(() => undefined);
            return 'next';
          }
          if (fetched.kind === 'no-room') content.marks[index] = MARK.noRoom;
          if (fetched.kind === 'local') unreadable.readable({ name: generation.versionName(index) });
          this.#progress.done(generation.size(index));
          return tally.count(fetched);
        } catch (error) {
          if (over.aborted) throw error;
          // The next tree's run joins the fetches in progress: abort none of them.
          if (left.aborted) return 'next';
          if (!(await this.#isOwnFault(error, () => control.isOwnFault(index, over)))) throw error;
          this.#refuse(error);
          failed.push(failedObject(generation, index, error, false));
          return 'next';
        }
      });
      left.throwIfAborted();
      tally.warn(log);
      const isAgain = await this.#settleStale(target, stale, control, failed, known, left);
      this.#pausedBy = undefined;
      if (isAgain) return 'again';
    } catch (error) {
      left.throwIfAborted();
      // The store denies every read and nothing is local: the tree must not be called ready.
      if (codeOf(error) === 'denied' && !content.marks.includes(MARK.local)) this.#ready.reject(error);
      this.#wait.storeFailed();
      this.#pausing(error);
      return 'again';
    } finally {
      plan?.end();
    }
    return this.#judge(target, failed);
  }

  async #isOwnFault(error: unknown, ask: () => Promise<boolean>): Promise<boolean> {
    const { isOwnFault } = this.#options;
    return isOwnFault === undefined ? ask() : isOwnFault(error);
  }

  /** Whether the tree counts as ready without the content of these entries, which is unavailable. */
  #isEnough({ generation }: FetchTarget, missing: Uint32Array): boolean {
    if (this.#isReady || this.#options.mustBeWhole !== true) return true;
    return missing.length === 0 || this.#accepted === generation.id;
  }

  /** Rejects `ready` for a tree that must be complete but is not. */
  #refuse(error: unknown): void {
    if (this.#options.mustBeWhole === true && !this.#isReady) this.#ready.reject(error);
  }

  /**
   * Waits for a listing that began after the objects were found gone or changed. If that listing still has an
   * object, the object has failed: the store does not deliver it. Returns whether to retry instead.
   */
  async #settleStale(
    { generation }: FetchTarget,
    stale: readonly StaleEntry[],
    control: Control,
    failed: FailedObject[],
    known: number | undefined,
    left: AbortSignal,
  ): Promise<boolean> {
    if (stale.length === 0) return false;
    // A publication aborts this run before the refresh resolves, so the wait must end with the run.
    const outcome = await orAborted(this.#options.refresh(), left);
    if (outcome.kind === 'failed' || outcome.kind === 'published') return true;
    // The refresh may have changed the findings about the store's ETags.
    if (known !== this.#options.etags?.revision) return true;
    for (const { index, error } of stale) {
      if (!(await control.isOwnFault(index, left))) throw error;
      failed.push(failedObject(generation, index, error, false));
    }
    return false;
  }

  /** Decides about a tree whose objects `found` could not be read while the store delivered others. */
  #judge({ generation }: FetchTarget, found: readonly FailedObject[]): PassEnd {
    const { unreadable, clock, log, onHeld } = this.#options;
    if (found.length === 0) return 'done';
    const failed = this.#wait.withAnswers(found);
    const news: FailedObject[] = [];
    for (const object of failed) {
      if (unreadable.has(object.version)) unreadable.triedAgain(object.version, object.failure);
      else news.push(object);
    }
    if (news.length === 0) return 'given-up';
    const accepted = this.#accepted === generation.id;
    const tooMany = reasonToHold(generation, news, unreadable.countIn(generation), accepted);
    const awaited = news.filter(({ refused }) => !refused);
    const isHolding = tooMany?.reason === 'unreadable-objects' && !this.#isReady;
    if (!accepted && (awaited.length > 0 || isHolding)) {
      if (this.#wait.waitsFor(awaited.length > 0 ? awaited : news)) return 'again';
    }
    if (isHolding) {
      const since = this.#held?.since ?? clock.now();
      const isNews = this.#held === undefined;
      const { id, files } = generation;
      this.#held = Object.freeze({ generation: id, files, removed: 0, since, ...tooMany });
      const line = { event: 'held', held: this.#held } as const;
      const message =
        'held: the tree is shown, but not called ready: too many objects are unreadable; to call it ready anyway: dagmount accept';
      if (isNews) log.warn(line, message);
      else log.debug(line, message);
      if (isNews) onHeld?.(this.#held);
      return 'again';
    }
    unreadable.add(news, accepted);
    return 'given-up';
  }

  #done(): void {
    this.#progress.clear();
    this.#wait.end();
    this.#held = undefined;
    this.#isReady = true;
    this.#ready.resolve();
    this.#readyAtLast.resolve();
  }

  /** Warns when a failure begins or its cause changes. */
  #pausing(error: unknown): void {
    const { log } = this.#options;
    const failure = failureOf(error);
    const isNews = this.#pausedBy !== failure.code;
    this.#pausedBy = failure.code;
    const line = { event: 'prefetch-paused', ...failure, ...this.pending } as const;
    const message = 'the fetching of what is shown pauses';
    if (isNews) log.warn(line, message);
    else log.debug(line, message);
  }
}
