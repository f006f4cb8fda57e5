import type { Clock } from '../base/clock.ts';
import { pauseAfter } from '../base/retry.ts';
import { RETRIES } from '../base/retry-policies.ts';
import { type Deferred, deferred, orAborted } from '../base/waiting.ts';
import { Yielder } from '../base/yielder.ts';
import { boundedForEach } from './bounded-for-each.ts';
import { MARK } from './content-state.ts';
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
  /** The longest pause after the store failed. */
  readonly pollMs: number;
  /** How long the tree waits for objects that cannot be had, before it is called ready without them. */
  readonly unreadableWaitMs: number;
  /** Asks for a newer listing; resolves with how that ended. */
  readonly refresh: () => Promise<{ readonly kind: 'current' | 'published' | 'held' | 'failed' }>;
  /** The tree that is shown has too many objects that cannot be had, to be called ready. */
  readonly onHeld?: (held: HeldView) => void;
  readonly etags?: Pick<EtagFindings, 'revision'> | undefined;
  /** Whether it is known by the error alone that content cannot be had while the store gives other content. */
  readonly isOwnFault?: ((error: unknown) => boolean) | undefined;
  /** Whether the first tree is never called ready without all of its content. */
  readonly mustBeWhole?: boolean | undefined;
}

/** How a pass over what is wanted ended; `again`: the store was in trouble, or there is more to wait for. */
type PassEnd = 'done' | 'again' | 'given-up';

interface StaleEntry {
  readonly index: number;
  readonly error: unknown;
}

/**
 * Makes local what is shown and not yet local: of the first tree everything, later what the disk had no room for
 * while two trees were shown, and objects that could not be had. In index order, breadth first with the files of a
 * directory next to each other, so that it stays ahead of a scan. Blobs recovered from an earlier run count as local
 * unread: each is verified when it is first opened, which costs less than reading a whole cache at start.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #ready: Deferred<void> = deferred();
  readonly #progress = new Progress();
  readonly #abort = new AbortController();
  readonly #wait: ObjectWait;
  /** Of the run over the tree shown; earlier ones may still wait for their last fetches. */
  #left = new AbortController();
  readonly #runs = new Set<Promise<void>>();
  #isReady = false;
  #pausedBy: string | undefined;
  #held: HeldView | undefined;
  /** The generation that an operator accepted as it is. */
  #accepted: string | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#wait = new ObjectWait(options.clock, options.log, options.unreadableWaitMs);
    // Whoever wants to know asks for `ready`; nobody need.
    this.#ready.promise.catch(() => undefined);
  }

  /**
   * Resolves when, for the first time, nothing is pending. Rejects with the store's error where it denies the
   * reading of everything: then the fetching goes on being tried, and `isReady` may still come true.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pending(): PendingView {
    return this.#progress.view;
  }

  /** What the tree shown waits for, before it is called ready. */
  get waiting(): WaitingView | undefined {
    return this.#wait.view ?? (this.#isReady ? undefined : this.#options.slow.view);
  }

  /** Why the tree that is shown is not called ready: too many of its objects cannot be had. */
  get held(): HeldView | undefined {
    return this.#held;
  }

  /** The tree that is held is called ready as it is, once its objects have been tried once more. */
  accept(): void {
    this.#accepted = this.#held?.generation;
  }

  /**
   * Goes over to a newly published tree. Fetches under way are not given up: where the new tree has the same
   * version its run joins them, so that frequent publications do not keep large files from ever arriving.
   */
  start(target: FetchTarget): void {
    this.#left.abort();
    this.#left = new AbortController();
    const run = this.#work(target, this.#left.signal).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#left.abort();
    this.#abort.abort();
    await Promise.all(this.#runs);
  }

  async #work(target: FetchTarget, left: AbortSignal): Promise<void> {
    const { clock, log, pollMs } = this.#options;
    const yielder = new Yielder();
    let longPause = pollMs;
    try {
      for (;;) {
        const { wanted, awaited } = await this.#plan(target, yielder, left);
        // What is known to be unreadable keeps nothing from being ready, whatever the store does.
        if (awaited === 0) this.#done();
        const known = this.#options.etags?.revision;
        const end = wanted.length === 0 ? 'done' : await this.#pass(target, wanted, yielder, left);
        // Found out meanwhile: what the store refused may be had now.
        if (end !== 'done' && known !== this.#options.etags?.revision) continue;
        if (end !== 'again') this.#done();
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
        'the fetching of what is shown ended by an unforeseen error',
      );
    }
  }

  /**
   * The entries that are wanted and not local, and how many of them are waited for. Those found in the cache are
   * marked.
   */
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
      const version = generation.version(index);
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
            // Its answer is of no interest here, nor is the end of the loop.
            if (stale.length === 1) this.#options.refresh().catch(() => undefined);
            return 'next';
          }
          if (fetched.kind === 'no-room') content.marks[index] = MARK.noRoom;
          if (fetched.kind === 'local') unreadable.readable(generation.version(index));
          this.#progress.done(generation.size(index));
          return tally.count(fetched);
        } catch (error) {
          if (over.aborted) throw error;
          // The run of the next tree joins what is under way: nothing of that may be given up.
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

  /** Of a tree that must be whole, and is not. */
  #refuse(error: unknown): void {
    if (this.#options.mustBeWhole === true && !this.#isReady) this.#ready.reject(error);
  }

  /**
   * Waits for a listing that began after the objects were found to have gone, or to be others. Where it still has
   * them, the store does not give them: they have failed. Returns whether they are to be tried again instead.
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
    // A publication ends this run before the refresh resolves: waiting for it must end with the run.
    const outcome = await orAborted(this.#options.refresh(), left);
    if (outcome.kind === 'failed' || outcome.kind === 'published') return true;
    // The refresh may have shown how the store's ETags are to be taken.
    if (known !== this.#options.etags?.revision) return true;
    for (const { index, error } of stale) {
      if (!(await control.isOwnFault(index, left))) throw error;
      failed.push(failedObject(generation, index, error, false));
    }
    return false;
  }

  /** What becomes of a tree in which these objects could not be had, while the store gave others. */
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
      const message = 'the tree is shown, and not ready: accept it as it is';
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
  }

  /** Warns when the trouble begins or becomes another. */
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
