import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ReadFailure } from '../base/read-failure.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { startAlarm } from '../base/waiting.ts';
import { CHUNK_BYTES } from '../cache/chunks.ts';
import { type Stopper, stopperUnder } from '../store/stop.ts';
import type { ContentVersion, Generation } from '../tree/index.ts';
import { codeOf, failureOf, isSourceDown, isStale } from './failure.ts';
import type { ContentCachePort, Located } from './ports.ts';
import type { ReadAhead } from './read-ahead.ts';
import { isShown } from './shown.ts';
import { type ReaderUid, Turns } from './turns.ts';
import type { UnreadableObjects } from './unreadable/unreadable-objects.ts';

export type ReadResult =
  | Located
  /**
   * `code` is that of the store's error, or `deadline`, `source-down`, or `aborted` if no reader waits any
   * more.
   */
  | { readonly kind: 'error'; readonly failure: ReadFailure; readonly code: string };

export interface ReadThroughOptions {
  readonly cache: ContentCachePort;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether every request to the store is known to fail. */
  readonly isSourceDown: () => boolean;
  /** The tree that is shown. */
  readonly generation: () => Generation | undefined;
  /** Called when a file that is not kept in chunks was read; `located` says where its content is. */
  readonly found: (version: ContentVersion, located: Located) => void;
  /** Shown files whose content is unreadable. */
  readonly unreadable: UnreadableObjects;
  readonly ahead: Pick<ReadAhead, 'asked' | 'arrived' | 'left'>;
  /** The maximum number of concurrent content requests. */
  readonly concurrency: number;
  /** Requests a new listing, because the store lacks what the tree shows, or does not answer. */
  readonly refresh: () => void;
}

export interface ReadOptions {
  /** Counts from the reader's turn: the time in which the read waits for other reads does not count. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly reader?: ReaderUid;
}

/**
 * The maximum number of bytes in flight, from the store and from the disk each: as many as the cache holds in
 * memory at a time.
 */
const TURN_BYTES = 8 * CHUNK_BYTES;

/** A read this soon after a failed one counts as the kernel's repetition of it. */
const SAME_READ_MS = 500;

/** The code of a read that failed because the store is known to be down and the content is not local. */
const SOURCE_DOWN = 'source-down';

/** Why a fetch is aborted at the reader's deadline. */
const LATE = 'the deadline of the reader has passed';

/** The result of a read if no reader waits for it any more. */
const ABORTED: ReadResult = { kind: 'error', failure: 'unavailable', code: 'aborted' };

/** Counts of reads that failed. */
export type ReadFailures = Readonly<Record<ReadFailure, number>>;

/** Reads content that is not local, for the session's cache misses. */
export class ReadThrough {
  readonly #options: ReadThroughOptions;
  readonly #failures: Record<ReadFailure, number> = { unavailable: 0, replaced: 0 };
  /** The reads that wait: for each, what ends its wait, the version and the chunk. */
  readonly #waiting = new Map<Stopper, readonly [ContentVersion, number | undefined]>();
  /** The results of reads that failed a moment ago, by blob, the oldest first. */
  readonly #failed = new Map<string, { readonly at: number; readonly result: ReadResult }>();

  /**
   * Separate turns for blobs to fetch from the store and for blobs on disk to verify, so that neither queue
   * waits for the other. The read-ahead needs no turns of its own, because it is small enough to fit.
   */
  readonly #turns: { readonly store: Turns; readonly disk: Turns };

  constructor(options: ReadThroughOptions) {
    this.#options = options;
    const limits = { requests: options.concurrency, bytes: TURN_BYTES };
    this.#turns = { store: new Turns(limits), disk: new Turns(limits) };
  }

  get failures(): ReadFailures {
    return { ...this.#failures };
  }

  /**
   * Makes one blob of a version local, with priority over all prefetching. Never rejects. Returns
   * `unavailable` after the deadline or a store failure, and at once while the store is known to be down.
   * Returns `replaced` if the store no longer has this version (`unavailable` if the version was unreadable
   * before), and requests a refresh if the shown tree has the version.
   */
  async readVersion(
    version: ContentVersion,
    chunk: number | undefined,
    options: ReadOptions,
  ): Promise<ReadResult> {
    const { cache, unreadable } = this.#options;
    const { signal, reader } = options;
    // Cached content needs no store, unless it turns out to be corrupt.
    if (this.#options.isSourceDown() && !cache.has(version, chunk))
      return this.#fail('unavailable', SOURCE_DOWN);
    const failed = this.#failedJustNow(version, chunk);
    if (failed !== undefined) return failed;
    const isUnreadable = unreadable.has(version) && !cache.has(version, chunk);
    const known = isUnreadable ? unreadable.failedJustNow(version) : undefined;
    if (known !== undefined) return this.#fail('unavailable', known);
    const { stopper, release } = stopperUnder(signal);
    this.#waiting.set(stopper, [version, chunk]);
    const turns = cache.has(version, chunk) ? this.#turns.disk : this.#turns.store;
    const done = await turns
      .take(reader, Math.min(version.size, CHUNK_BYTES), stopper)
      .catch(() => undefined);
    try {
      // The read was aborted before its turn.
      if (done === undefined) return signal.aborted ? ABORTED : this.#fail('unavailable', SOURCE_DOWN);
      return this.#failedJustNow(version, chunk) ?? (await this.#ensure(version, chunk, options, stopper));
    } finally {
      this.#waiting.delete(stopper);
      release();
      done?.();
    }
  }

  async #ensure(
    version: ContentVersion,
    chunk: number | undefined,
    { deadlineMs, signal }: ReadOptions,
    stopper: Stopper,
  ): Promise<ReadResult> {
    const { cache, clock, found, ahead, unreadable } = this.#options;
    const localOnly = this.#options.isSourceDown();
    const isUnreadable = unreadable.has(version) && !cache.has(version, chunk);
    const longestMs = isUnreadable ? Math.min(deadlineMs, RETRIES.unreadableRead.deadlineMs) : deadlineMs;
    const alarm = startAlarm(clock, longestMs, () => stopper.abort(LATE));
    try {
      const reading = cache.ensure(version, chunk, {
        signal: stopper,
        priority: 'demand',
        localOnly,
      });
      // The read-ahead starts after the reader's own request, which comes first.
      if (chunk !== undefined) ahead.asked(version, chunk);
      const located = await reading;
      if (chunk === undefined) found(version, located);
      else ahead.arrived(version, chunk);
      return located;
    } catch (error) {
      if (chunk !== undefined) ahead.left(version, chunk);
      if (signal.aborted) return ABORTED;
      const told = codeOf(error) ?? 'internal';
      const isDown = stopper.aborted || told === 'not-cached';
      const code = alarm.rang ? 'deadline' : isDown ? SOURCE_DOWN : told;
      // The reader's own deadline says nothing about the store's answer.
      if (isUnreadable) unreadable.triedAgain(version, code === told ? failureOf(error) : undefined);
      const result = isUnreadable ? this.#refuseAgain(version, code) : this.#refuse(version, code, error);
      this.#failed.set(keyOf(version, chunk), { at: clock.now(), result });
      return result;
    } finally {
      alarm.stop();
    }
  }

  /**
   * Call this when the store was found to be down. Reads that wait for the store fail now, instead of at
   * their own deadlines.
   */
  sourceIsDown(): void {
    for (const [stopper, [version, chunk]] of this.#waiting) {
      if (!this.#options.cache.has(version, chunk)) stopper.abort(SOURCE_DOWN);
    }
  }

  /**
   * Returns the result of a read of this blob that failed a moment ago; undefined if there is none. The
   * kernel repeats a READ that failed with EIO, and the repetition must not wait again.
   */
  #failedJustNow(version: ContentVersion, chunk: number | undefined): ReadResult | undefined {
    const now = this.#options.clock.now();
    for (const [key, { at }] of this.#failed) {
      if (Math.abs(now - at) < SAME_READ_MS) break;
      this.#failed.delete(key);
    }
    return this.#failed.get(keyOf(version, chunk))?.result;
  }

  #refuse(version: ContentVersion, code: string, error: unknown): ReadResult {
    const { generation, refresh, log } = this.#options;
    if (code === 'internal')
      log.error(
        { event: 'read-crashed', err: error, path: version.path },
        'a read failed with an unexpected error',
      );
    if (isStale(code)) {
      // A replaced version that is still being read says nothing about the shown tree.
      if (isShown(generation(), version)) refresh();
      return this.#fail('replaced', code);
    }
    // The refresh finds out for all readers whether the source is down, so that not every reader has to.
    if (code === 'deadline' || isSourceDown(code)) refresh();
    return this.#fail('unavailable', code);
  }

  /**
   * Refuses a read of an object that was unreadable before. Requests a refresh if the store may have another
   * version by now.
   */
  #refuseAgain(version: ContentVersion, code: string): ReadResult {
    const { generation, refresh } = this.#options;
    if (isStale(code) && isShown(generation(), version)) refresh();
    return this.#fail('unavailable', code);
  }

  #fail(failure: ReadFailure, code: string): ReadResult {
    this.#failures[failure] += 1;
    return { kind: 'error', failure, code };
  }
}

function keyOf({ name }: ContentVersion, chunk: number | undefined): string {
  return chunk === undefined ? name : `${name}.${chunk}`;
}
