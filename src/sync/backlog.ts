import { MARK } from './content-state.ts';
import type { EtagFindings } from './etag-witness.ts';
import { codeOf, failureOf, isSourceDown } from './failure.ts';
import { type Fetched, fetchEntry, isLocal } from './fetch-content.ts';
import { Pace } from './pace.ts';
import type { Clock } from './ports.ts';
import { type FetchMeans, type FetchTarget, note, Tally } from './prefetch.ts';
import { isWanted } from './prefetch-bound.ts';
import { type PendingView, Progress } from './progress.ts';
import { sweep } from './sweep.ts';
import { type Deferred, deferred, orAborted } from './waiting.ts';

export interface BacklogOptions extends FetchMeans {
  readonly clock: Clock;
  /** The longest pause after the store failed. */
  readonly pollMs: number;
  /** Asks for a newer listing; resolves with how that ended. */
  readonly refresh: () => Promise<{ readonly kind: 'current' | 'published' | 'held' | 'failed' }>;
  readonly etags?: Pick<EtagFindings, 'revision'> | undefined;
}

const SHORTEST_PAUSE_MS = 1_000;
/** Passes after which an object that fails by itself, such as arriving damaged, is waited for no more. */
const MOST_TRIES = 3;
/** Between two later tries of those. */
const LONGEST_PAUSE_MS = 600_000;

interface FailedFetch {
  readonly kind: 'failed';
  readonly code: string;
  readonly error: unknown;
}

/** How often each entry failed by itself. */
class Failures {
  readonly #tries = new Map<number, number>();

  add(index: number): number {
    const tries = (this.#tries.get(index) ?? 0) + 1;
    this.#tries.set(index, tries);
    return tries;
  }

  areMany(index: number): boolean {
    return (this.#tries.get(index) ?? 0) >= MOST_TRIES;
  }
}

/**
 * Makes local what is shown and not yet local: of the first tree everything, later what the disk had no room for
 * while two trees were shown. In index order, breadth first with the files of a directory next to each other, so
 * that it stays ahead of a scan. Blobs recovered from an earlier run count as local unread: each is verified when
 * it is first opened, which costs less than reading a whole cache at start.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #ready: Deferred<void> = deferred();
  readonly #progress = new Progress();
  readonly #abort = new AbortController();
  /** Of the run over the tree shown; earlier ones may still wait for their last fetches. */
  #left = new AbortController();
  readonly #runs = new Set<Promise<void>>();
  #isReady = false;
  #pausedBy: string | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
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
    const pace = new Pace();
    const failures = new Failures();
    let longPause = pollMs;
    try {
      for (;;) {
        const wanted = await this.#plan(target, failures, pace, left);
        const known = this.#options.etags?.revision;
        const end = wanted.length === 0 ? 'done' : await this.#pass(target, wanted, failures, pace, left);
        // Found out meanwhile: what the store refused may be had now.
        if (end !== 'done' && known !== this.#options.etags?.revision) continue;
        if (end !== 'again') this.#done();
        if (end === 'done') return;
        longPause = Math.min(2 * longPause, LONGEST_PAUSE_MS);
        const spread = Math.max(0, pollMs - SHORTEST_PAUSE_MS);
        const pause = end === 'given-up' ? longPause : SHORTEST_PAUSE_MS + clock.random() * spread;
        await clock.sleep(pause, left);
      }
    } catch (error) {
      if (left.aborted) return;
      log.error({ err: error }, 'the fetching of what is shown ended by an unforeseen error');
    }
  }

  /** The entries that are wanted and not local. Those found in the cache are marked. */
  async #plan(
    { generation, content, bound }: FetchTarget,
    failures: Failures,
    pace: Pace,
    left: AbortSignal,
  ): Promise<Uint32Array> {
    const { cache } = this.#options;
    let wanted = new Uint32Array(1024);
    let count = 0;
    let pendingFiles = 0;
    let pendingBytes = 0;
    for (let index = 0; index < generation.entries; index++) {
      if (pace.due()) {
        await pace.turn();
        left.throwIfAborted();
      }
      if (!isWanted(generation, content, index, bound)) continue;
      if (isLocal(cache, generation.version(index))) {
        content.marks[index] = MARK.local;
        continue;
      }
      if (count === wanted.length) {
        const larger = new Uint32Array(2 * count);
        larger.set(wanted);
        wanted = larger;
      }
      wanted[count++] = index;
      if (failures.areMany(index)) continue;
      pendingFiles += 1;
      pendingBytes += generation.size(index);
    }
    this.#progress.plan(pendingFiles, pendingBytes);
    return wanted.subarray(0, count);
  }

  /**
   * `again`: the store was in trouble, or may have newer content that could not be listed. `given-up`: all that is
   * left has failed too often to be waited for.
   */
  async #pass(
    target: FetchTarget,
    wanted: Uint32Array,
    failures: Failures,
    pace: Pace,
    left: AbortSignal,
  ): Promise<'done' | 'again' | 'given-up'> {
    const { concurrency, log } = this.#options;
    const sweeping = { total: wanted.length, concurrency, pace, signal: this.#abort.signal, until: left };
    const { generation, content } = target;
    const known = this.#options.etags?.revision;
    const tally = new Tally();
    const stale: number[] = [];
    const denied: number[] = [];
    let denial: unknown;
    let failed = 0;
    let givenUp = 0;
    try {
      await sweep(sweeping, async (at, over) => {
        const index = wanted[at]!;
        const fetched = await this.#fetch(target, index, over);
        if (left.aborted) return 'next';
        if (fetched.kind === 'failed') {
          failed += 1;
          const tries = failures.add(index);
          if (tries >= MOST_TRIES) givenUp += 1;
          if (tries !== MOST_TRIES) return 'next';
          this.#progress.done(generation.size(index));
          return tally.count(target, index, { ...fetched, kind: 'unreadable' });
        }
        if (fetched.kind === 'stale') {
          stale.push(index);
          // Its answer is of no interest here, nor is the end of the loop.
          if (stale.length === 1) this.#options.refresh().catch(() => undefined);
          return 'next';
        }
        if (fetched.kind === 'unreadable' && fetched.code === 'denied') {
          denied.push(index);
          denial ??= fetched.error;
        }
        if (fetched.kind === 'no-room') content.marks[index] = MARK.noRoom;
        note(target, index, fetched);
        this.#progress.done(generation.size(index));
        return tally.count(target, index, fetched);
      });
      left.throwIfAborted();
      // Nothing at all could be read: that is no tree to be called ready.
      if (denial !== undefined && !content.marks.includes(MARK.local)) throw denial;
    } catch (error) {
      left.throwIfAborted();
      if (codeOf(error) === 'denied') {
        this.#ready.reject(error);
        // Not each of them alone: once reading is granted, they are asked for again.
        for (const index of denied) content.marks[index] = MARK.unknown;
      }
      this.#pausing(error);
      return 'again';
    }
    this.#pausedBy = undefined;
    tally.warn(log);
    if (stale.length > 0) return this.#settleStale(target, stale, known, left);
    if (failed > givenUp || (givenUp > 0 && !isAnyReadable(content))) return 'again';
    return givenUp > 0 ? 'given-up' : 'done';
  }

  /** `failed`: by itself, not for the store's sake, and perhaps not the next time. */
  async #fetch(target: FetchTarget, index: number, signal: AbortSignal): Promise<Fetched | FailedFetch> {
    try {
      return await fetchEntry(this.#options.cache, target, index, signal);
    } catch (error) {
      const code = codeOf(error) ?? 'internal';
      if (signal.aborted || isSourceDown(code)) throw error;
      return { kind: 'failed', code, error };
    }
  }

  /** Waits for a listing that began after the objects were found to have gone. */
  async #settleStale(
    { generation, content }: FetchTarget,
    stale: readonly number[],
    known: number | undefined,
    left: AbortSignal,
  ): Promise<'done' | 'again'> {
    // A publication ends this run before the refresh resolves: waiting for it must end with the run.
    const outcome = await orAborted(this.#options.refresh(), left);
    if (outcome.kind === 'failed' || outcome.kind === 'published') return 'again';
    if (this.#options.etags?.revision !== known || !isAnyReadable(content)) return 'again';
    // The listing has what the store does not give, or waits to be accepted: it cannot be had.
    for (const index of stale) content.marks[index] = MARK.unreadable;
    this.#options.log.warn(
      { files: stale.length, path: generation.path(stale[0]!) },
      'objects that are listed cannot be had: they are shown, and reading them fails',
    );
    return 'done';
  }

  #done(): void {
    this.#progress.clear();
    this.#isReady = true;
    this.#ready.resolve();
  }

  /** Warns when the trouble begins or becomes another. */
  #pausing(error: unknown): void {
    const { log } = this.#options;
    const failure = failureOf(error);
    const write = this.#pausedBy === failure.code ? log.debug : log.warn;
    this.#pausedBy = failure.code;
    write.call(log, { ...failure, ...this.pending }, 'the fetching of what is shown pauses');
  }
}

/** Whether a tree may be called ready: of which nothing can be read may not. */
function isAnyReadable({ marks }: FetchTarget['content']): boolean {
  return marks.includes(MARK.local) || marks.includes(MARK.noRoom);
}
