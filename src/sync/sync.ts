import type { HintObserver } from '../source/hint.ts';
import type { WatchedKey } from '../source/source.ts';
import type { ContentVersion, Generation } from '../tree/index.ts';
import { Backlog } from './backlog.ts';
import { type ComparedGenerations, compareGenerations } from './compare-generations.ts';
import type { EtagFindings } from './etag-witness.ts';
import { failureOf } from './failure.ts';
import type { HistoryEntry } from './history.ts';
import { JoinedProblems } from './joined-problems.ts';
import type { Accepted, Outcome } from './outcome.ts';
import type { PendingView } from './progress.ts';
import { ReadAhead } from './read-ahead.ts';
import { type ReadOptions, type ReadResult, ReadThrough } from './read-through.ts';
import type { Restored } from './restored.ts';
import { Revalidation } from './revalidate.ts';
import { RevalidationLoop, type Settled } from './revalidation-loop.ts';
import type { RevalidationOptions } from './revalidation-options.ts';
import { type Shown, summaryOf, takenOver, unnamedProblemsOf } from './shown.ts';
import { acceptedBy, contentHoldOf } from './source-hold.ts';
import { SourceState } from './source-state.ts';
import type { Revalidated } from './stages.ts';
import type { SyncView } from './sync-view.ts';
import { TimedSource } from './timed-source.ts';
import { SlowFetches } from './unreadable/slow-fetches.ts';
import { UnreadableObjects } from './unreadable/unreadable-objects.ts';
import { Watch } from './watch.ts';

export interface SyncOptions extends RevalidationOptions {
  readonly etags?: EtagFindings | undefined;
  readonly pollMs: number;
  /** If set, a poll checks this key first, and lists only if the key has changed. */
  readonly watchedKey?: WatchedKey | undefined;
  /** Says whether trees are read from a standby; undefined if there is only one store. */
  readonly standby?: { readonly view: { readonly isActive: boolean } } | undefined;
  /** Called for hints of the watched key. */
  readonly onHint?: HintObserver | undefined;
  /** When an earlier process began the last revalidation that succeeded, milliseconds since the epoch. */
  readonly lastSuccessAt?: number | undefined;
  /** Called after each successful revalidation, with the time when it began. */
  readonly onSuccess?: (beganAt: number) => void;
}

/** The shortest time between two refreshes that reads cause. */
const READERS_REFRESH_MS = 1_000;

/** Keeps the shown tree up to date with the store: first publication, loop, backlog and reads. */
export class Sync {
  readonly #options: SyncOptions;
  readonly #revalidation: Revalidation;
  readonly #loop: RevalidationLoop<Outcome>;
  readonly #source: SourceState;
  readonly #timed: TimedSource;
  readonly #backlog: Backlog;
  readonly #ahead: ReadAhead;
  readonly #reads: ReadThrough;
  readonly #unreadable: UnreadableObjects;
  readonly #watch: Watch | undefined;
  readonly #isRestored: boolean;
  /** The persisted state of an earlier process; dropped after its tree is shown. */
  #restored: Restored | undefined;
  #readersRefresh: { at: number; pending: boolean } = { at: 0, pending: false };
  #toldTooSmall = false;
  readonly #problems = new JoinedProblems();

  constructor(options: SyncOptions, restored?: Restored) {
    const { cache, clock, log, pollMs, concurrency, cacheBytes } = options;
    const isRelease = options.source.kind === 'release';
    this.#options = options;
    this.#restored = restored;
    this.#isRestored = restored !== undefined;
    this.#timed = new TimedSource(options.source, clock, log, options.notice);
    const unreadable = new UnreadableObjects(clock, log, options.notice);
    this.#unreadable = unreadable;
    const onFirst: RevalidationOptions['onFirst'] = (target) => this.#backlog.startAhead(target);
    this.#revalidation = new Revalidation({ ...options, source: this.#timed, onFirst }, unreadable, restored);
    // Without a tree from that time, `lastSuccessAt` is meaningless.
    this.#source = new SourceState(clock, log, options.notice, restored && options.lastSuccessAt);
    this.#watch = options.watchedKey && new Watch(options.watchedKey, clock, log, options.onHint);
    this.#loop = new RevalidationLoop({
      revalidate: (accept, signal, asked) => this.#attempt(accept, signal, asked),
      pollMs,
      clock,
      waitingLeftMs: () => this.#revalidation.waitingLeftMs,
      dueAfter: (time) => this.#revalidation.dueAfter(time),
    });
    this.#backlog = new Backlog({
      ...options,
      refresh: () => this.refresh(),
      unreadable,
      ...(isRelease && { isOwnFault: (error: unknown) => contentHoldOf(error) !== undefined }),
      mustBeWhole: isRelease && restored === undefined,
      unreadableWaitMs: isRelease ? 0 : options.unreadableWaitMs,
      slow: new SlowFetches(clock),
      onHeld: (held) => options.notice?.({ kind: 'held', held }),
    });
    const isSourceDown = (): boolean => this.#source.isDown;
    this.#ahead = new ReadAhead({ cache, clock, cacheBytes, isSourceDown });
    this.#reads = new ReadThrough({
      cache,
      clock,
      log,
      ahead: this.#ahead,
      concurrency,
      isSourceDown,
      unreadable,
      generation: () => this.#revalidation.shown?.generation,
      found: (version, located) => {
        const shown = this.#revalidation.shown;
        unreadable.readable(version);
        if (located.kind === 'local') shown?.content.note(shown.generation, version, located.fingerprint);
      },
      refresh: () => this.#refreshForReader(),
    });
  }

  /**
   * Resolves when all content of the shown tree that is to be fetched is local for the first time; see
   * Backlog.
   */
  get ready(): Promise<void> {
    return this.#backlog.ready;
  }

  /**
   * Like `ready`, but if `ready` is rejected, resolves when a retry has fetched the content. Never rejects.
   */
  get readyAtLast(): Promise<void> {
    return this.#backlog.readyAtLast;
  }

  /** Whether the first tree was published by an earlier process. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** The shown tree; `shown.generation` and `shown.content.fingerprints` are what the session has. */
  get shown(): Shown | undefined {
    return this.#revalidation.shown;
  }

  /** Whether content of the current tree, or of one that is about to be shown, is yet to be fetched. */
  get isFetching(): boolean {
    const { pending, isReady } = this.#backlog;
    return !isReady || pending.pendingFiles + this.#revalidation.pending.pendingFiles > 0;
  }

  get view(): SyncView {
    const shown = this.#revalidation.shown;
    const served = shown ?? takenOver(this.#restored);
    return {
      ready: this.#backlog.isReady,
      generation: served && summaryOf(served),
      source: { ...this.#source.view, kind: this.#timed.kind },
      release: shown?.release && { step: shown.release, armed: this.#revalidation.armed },
      listing: this.#timed.view,
      isOnStandby: this.#options.standby?.view.isActive === true,
      storeTraits: this.#options.etags?.traits ?? [],
      held: this.#revalidation.held ?? this.#backlog.held,
      waiting: this.#revalidation.waiting ?? this.#backlog.waiting,
      unreadable: this.#unreadable.problems.length,
      pending: sum(this.#backlog.pending, this.#revalidation.pending),
      problems: this.#problems.join(shown?.problems ?? [], this.#unreadable.problems),
      unnamedProblems: shown === undefined ? new Map() : unnamedProblemsOf(shown),
      history: this.#revalidation.history,
      readFailures: this.#reads.failures,
      cacheTooSmall:
        shown === undefined || shown.bound.fits ? undefined : { neededBytes: shown.bound.neededBytes },
      replacedVersions: this.#revalidation.replacedVersions,
      persistTroubles: this.#revalidation.isStepUnkept
        ? [...this.#options.persister.troubles, 'state-dir-unwritable']
        : this.#options.persister.troubles,
    };
  }

  /**
   * Publishes the first tree. Shows the persisted tree; or else lists, and shows the result before any
   * content but that of .airflowignore files is fetched. Rejects with the store's error or with SyncError,
   * such as `empty-source`. It may then be called again.
   */
  async start(signal: AbortSignal): Promise<Shown> {
    if (this.#restored !== undefined) {
      const shown = await this.#revalidation.resume(this.#restored);
      this.#restored = undefined;
      return shown;
    }
    await this.#attemptOrThrow(undefined, signal, true);
    return this.#revalidation.shown!;
  }

  /** Polls until the signal is aborted; resolves when no work is in progress. Call it after `start`. */
  async run(signal: AbortSignal): Promise<void> {
    const { shown } = this;
    // Fetch no content before this: until then the cache may evict nothing, and would have no room.
    if (this.#isRestored && shown !== undefined) this.#fetchBehind(shown);
    try {
      // Persisted state may be old: look at the store immediately.
      await this.#loop.run(signal, this.#isRestored ? 0 : undefined);
    } finally {
      this.#ahead.stop();
      await this.#backlog.stop();
    }
  }

  /**
   * Requests a listing that begins after this call. Resolves when its result is shown, held or refused. If a
   * tree waits for objects, this waits, too. Rejects only when `run` ends.
   */
  refresh(): Promise<Settled<Outcome>> {
    return this.#loop.refresh();
  }

  /**
   * Requests a look at the source soon (see HintPace), because the source may have changed. Resolves when a
   * look begins after this call; many hints share one look. Rejects only when `run` ends.
   */
  hint(): Promise<void> {
    return this.#loop.hint();
  }

  /**
   * Accepts the current hold if it has this id, or if no id is given. Publishes the held tree if a fresh
   * listing still matches it. A held tree that is already shown is called ready.
   */
  async accept(id?: string): Promise<Accepted> {
    const held = this.#revalidation.held ?? this.#backlog.held;
    if (held === undefined) return { kind: 'nothing-held' };
    if (id !== undefined && id !== held.generation) return { kind: 'changed', held };
    if (held === this.#backlog.held) {
      this.#backlog.accept();
      return { kind: 'accepted', generation: summaryOf(this.#revalidation.shown!) };
    }
    const outcome = await this.#loop.refresh(held.generation);
    if (outcome.kind === 'failed') return { kind: 'failed', error: outcome.error };
    const isFollowed = acceptedBy(held) !== undefined && outcome.kind !== 'held';
    if (isFollowed || (outcome.kind === 'published' && outcome.generation.id === held.generation)) {
      return { kind: 'accepted', generation: outcome.generation };
    }
    return { kind: 'changed', held: this.#revalidation.held };
  }

  /** See compareGenerations. */
  changes(from: string | undefined, to: string): Promise<ComparedGenerations | undefined> {
    return compareGenerations(this.#revalidation.history, this.#revalidation.changeLog, from, to);
  }

  /** Returns the last publication, within the history, that removed this path or a path below it. */
  async removalOf(path: string): Promise<HistoryEntry | undefined> {
    const number = await this.#revalidation.changeLog.removalOf(path);
    return this.#revalidation.history.find((entry) => entry.number === number);
  }

  /** The tree that is shown if an operator accepts the hold. */
  get heldTree(): Generation | undefined {
    return this.#revalidation.heldTree;
  }

  /** Returns the node ids that this path had in earlier trees, and that the kernel may still hold. */
  replacedNodeIds(path: string): readonly number[] {
    return this.#revalidation.replacedNodeIds(path);
  }

  /** Reads one blob for a reader, see ReadThrough. Never rejects. */
  read(version: ContentVersion, chunk: number | undefined, options: ReadOptions): Promise<ReadResult> {
    return this.#reads.readVersion(version, chunk, options);
  }

  /**
   * Call this if the store no longer has this content. If the content is shown, the listing is stale, so this
   * requests a new one.
   */
  contentReplaced(path: string, etag: string): void {
    const generation = this.#revalidation.shown?.generation;
    const index = generation?.find(path) ?? -1;
    if (generation === undefined || index <= 0 || generation.isDirectory(index)) return;
    if (generation.etag(index) === etag) this.#refreshForReader();
  }

  async #attempt(accept: string | undefined, signal: AbortSignal, asked: boolean): Promise<Outcome> {
    try {
      const end = await this.#attemptOrThrow(accept, signal, asked);
      const generation = summaryOf(this.#revalidation.shown!);
      if (end.kind === 'held') return { kind: 'held', generation, held: end.held };
      if (end.kind === 'waiting') return { kind: 'waiting', generation, waiting: end.waiting };
      return { kind: end.kind, generation };
    } catch (error) {
      const shown = this.#revalidation.shown;
      return { kind: 'failed', generation: shown && summaryOf(shown), error: failureOf(error) };
    }
  }

  async #attemptOrThrow(
    accept: string | undefined,
    signal: AbortSignal,
    asked: boolean,
  ): Promise<Revalidated> {
    const began = this.#source.began();
    const before = this.#revalidation.shown;
    try {
      const isQuiet = await this.#isQuiet(asked, signal);
      const end: Revalidated = isQuiet
        ? { kind: 'current' }
        : await this.#revalidation.revalidate(accept, signal);
      if (end.kind === 'waiting') {
        this.#source.answered();
        return end;
      }
      // While a tree is held, every poll lists, whatever the watched key says: a change that ends the hold
      // may not change the key.
      if (!isQuiet && end.kind !== 'held') this.#watch?.listed();
      const beganAt = Math.min(began, (isQuiet ? undefined : this.#revalidation.lookBeganAt) ?? began);
      this.#source.succeeded(beganAt);
      this.#options.onSuccess?.(beganAt);
      return end;
    } catch (error) {
      if (before === undefined) await this.#backlog.dropAhead();
      // A requested end is not a failure of the source.
      if (!signal.aborted) this.#source.failed(failureOf(error), error, before === undefined);
      if (this.#source.isDown) {
        this.#ahead.giveUp();
        this.#reads.sourceIsDown();
      }
      throw error;
    } finally {
      const shown = this.#revalidation.shown;
      if (shown !== undefined && shown.generation !== before?.generation && !signal.aborted) {
        this.#fetchBehind(shown);
      }
    }
  }

  /** Whether the watched key is unchanged and no request waits, so that listing is unnecessary. */
  async #isQuiet(asked: boolean, signal: AbortSignal): Promise<boolean> {
    // Check the key before every listing, requested or not, because the listing belongs to the value that the
    // key had then.
    if (this.#watch === undefined || (await this.#watch.isDue(signal))) return false;
    const { held, shown } = this.#revalidation;
    return !asked && held === undefined && shown?.digest !== undefined;
  }

  #fetchBehind(shown: Shown): void {
    const { generation, content, bound } = shown;
    if (!bound.fits && !this.#toldTooSmall) {
      this.#options.log.warn(
        {
          event: 'cache-too-small',
          neededBytes: bound.neededBytes,
          cacheBytes: this.#options.cacheBytes,
          largestFetched: bound.bytes,
        },
        'the cache is too small for all files within the prefetch bound; only the smallest are kept in it',
      );
    }
    this.#toldTooSmall = !bound.fits;
    this.#backlog.start({ generation, content, bound: bound.bytes });
  }

  #refreshForReader(): void {
    const now = this.#options.clock.now();
    const { at, pending } = this.#readersRefresh;
    if (pending || Math.abs(now - at) < READERS_REFRESH_MS) return;
    this.#readersRefresh = { at: now, pending: true };
    const done = (): void => {
      this.#readersRefresh = { at: this.#options.clock.now(), pending: false };
    };
    this.refresh().then(done, done);
  }
}

function sum(one: PendingView, other: PendingView): PendingView {
  return {
    pendingFiles: one.pendingFiles + other.pendingFiles,
    pendingBytes: one.pendingBytes + other.pendingBytes,
  };
}
