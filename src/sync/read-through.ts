import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ReadFailure } from '../base/read-failure.ts';
import { RETRIES } from '../base/retry-policies.ts';
import { childOf, startAlarm } from '../base/waiting.ts';
import { CHUNK_BYTES } from '../cache/chunks.ts';
import type { ContentVersion, Generation } from '../tree/index.ts';
import { codeOf, failureOf, isSourceDown, isStale } from './failure.ts';
import type { ContentCachePort, Located } from './ports.ts';
import type { ReadAhead } from './read-ahead.ts';
import { isShown } from './shown.ts';
import { type ReaderUid, Turns } from './turns.ts';
import type { UnreadableObjects } from './unreadable/unreadable-objects.ts';

export type ReadResult =
  | Located
  /** `code`: that of the store's error, `deadline`, `source-down`, or `aborted`: nobody waits any more. */
  | { readonly kind: 'error'; readonly failure: ReadFailure; readonly code: string };

export interface ReadThroughOptions {
  readonly cache: ContentCachePort;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether every request to the store is known to fail. */
  readonly isSourceDown: () => boolean;
  /** The tree that is shown. */
  readonly generation: () => Generation | undefined;
  /** A version of the tree shown was made local. */
  readonly found: (version: ContentVersion, located: Located) => void;
  /** Files that are shown although their content could not be had. */
  readonly unreadable: UnreadableObjects;
  readonly ahead: Pick<ReadAhead, 'asked' | 'arrived' | 'left'>;
  /** Requests for content that the store takes at a time. */
  readonly concurrency: number;
  /** Asks for a new listing: the store has not what the tree shows, or does not answer. */
  readonly refresh: () => void;
}

export interface ReadOptions {
  /** From the reader's turn on: what waits for others of the same uid does not wait for the store yet. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly reader?: ReaderUid;
}

/** As many bytes as the cache holds in memory at a time, on their way from the store or the disk. */
const TURN_BYTES = 8 * CHUNK_BYTES;

/** How soon after its failure a read is taken for the same one, asked again. */
const SAME_READ_MS = 500;

/** The store is known to be down, and what is to be read is not here. */
const SOURCE_DOWN = 'source-down';

/** Nobody waits any more. */
const ABORTED: ReadResult = { kind: 'error', failure: 'unavailable', code: 'aborted' };

/** Counts of reads that failed. */
export type ReadFailures = Readonly<Record<ReadFailure, number>>;

/** Reads of what is not local: for the session's misses. */
export class ReadThrough {
  readonly #options: ReadThroughOptions;
  readonly #failures: Record<ReadFailure, number> = { unavailable: 0, replaced: 0 };
  /** Reads that wait, each with what ends its waiting. */
  readonly #waiting = new Map<AbortController, readonly [ContentVersion, number | undefined]>();
  /** Blobs that could not be had a moment ago, oldest first, and what the reader was told. */
  readonly #failed = new Map<string, { readonly at: number; readonly result: ReadResult }>();

  /**
   * Of what is to be fetched, and of what is on the disk and to be verified: neither waits for the other. What is behind
   * has no turns of its own, and need not: so much fits there.
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
   * Makes one blob of a version local, ahead of all prefetching. Never rejects: `unavailable` past the deadline or where
   * the store fails, at once while it is known to be down; `replaced` where it has this version no more, for which a
   * refresh is then under way.
   */
  async readVersion(
    version: ContentVersion,
    chunk: number | undefined,
    options: ReadOptions,
  ): Promise<ReadResult> {
    const { cache, unreadable } = this.#options;
    const { signal, reader } = options;
    // What is in the cache needs no store, unless it turns out to be rotten.
    if (this.#options.isSourceDown() && !cache.has(version, chunk))
      return this.#fail('unavailable', SOURCE_DOWN);
    const failed = this.#failedJustNow(version, chunk);
    if (failed !== undefined) return failed;
    const isUnreadable = unreadable.has(version) && !cache.has(version, chunk);
    const known = isUnreadable ? unreadable.failedJustNow(version) : undefined;
    if (known !== undefined) return this.#fail('unavailable', known);
    const { controller, release } = childOf(signal);
    this.#waiting.set(controller, [version, chunk]);
    const turns = cache.has(version, chunk) ? this.#turns.disk : this.#turns.store;
    const done = await turns
      .take(reader, Math.min(version.size, CHUNK_BYTES), controller.signal)
      .catch(() => undefined);
    try {
      // It was given up before its turn came.
      if (done === undefined) return signal.aborted ? ABORTED : this.#fail('unavailable', SOURCE_DOWN);
      return this.#failedJustNow(version, chunk) ?? (await this.#ensure(version, chunk, options, controller));
    } finally {
      this.#waiting.delete(controller);
      release();
      done?.();
    }
  }

  async #ensure(
    version: ContentVersion,
    chunk: number | undefined,
    { deadlineMs, signal }: ReadOptions,
    controller: AbortController,
  ): Promise<ReadResult> {
    const { cache, clock, found, ahead, unreadable } = this.#options;
    const localOnly = this.#options.isSourceDown();
    const isUnreadable = unreadable.has(version) && !cache.has(version, chunk);
    const longestMs = isUnreadable ? Math.min(deadlineMs, RETRIES.unreadableRead.deadlineMs) : deadlineMs;
    const alarm = startAlarm(clock, longestMs, () => controller.abort());
    try {
      const reading = cache.ensure(version, chunk, {
        signal: controller.signal,
        priority: 'demand',
        localOnly,
      });
      // Asked for after it: the reader's own request is the first.
      if (chunk !== undefined) ahead.asked(version, chunk);
      const located = await reading;
      if (chunk === undefined) found(version, located);
      else ahead.arrived(version, chunk);
      return located;
    } catch (error) {
      if (chunk !== undefined) ahead.left(version, chunk);
      if (signal.aborted) return ABORTED;
      const told = codeOf(error) ?? 'internal';
      const isDown = controller.signal.aborted || told === 'not-cached';
      const code = alarm.rang ? 'deadline' : isDown ? SOURCE_DOWN : told;
      // The reader's own deadline says nothing of what the store answers.
      if (isUnreadable) unreadable.triedAgain(version, code === told ? failureOf(error) : undefined);
      const result = isUnreadable ? this.#refuseAgain(version, code) : this.#refuse(version, code, error);
      this.#failed.set(keyOf(version, chunk), { at: clock.now(), result });
      return result;
    } finally {
      await alarm.stop();
    }
  }

  /** The store was found to be down: nobody need wait for a deadline of their own to learn it. */
  sourceIsDown(): void {
    for (const [controller, [version, chunk]] of this.#waiting) {
      if (!this.#options.cache.has(version, chunk)) controller.abort();
    }
  }

  /** The kernel asks once more for a page that it got EIO for: that must not wait once more. */
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
      log.error({ event: 'read-crashed', err: error, path: version.path }, 'a read failed unforeseen');
    if (isStale(code)) {
      // A replaced version that somebody still reads says nothing about the tree shown.
      if (isShown(generation(), version)) refresh();
      return this.#fail('replaced', code);
    }
    // Whether the source is down is then known to all readers, not found out by each of them.
    if (code === 'deadline' || isSourceDown(code)) refresh();
    return this.#fail('unavailable', code);
  }

  /** Of an object that could not be had before: the store may have another version by now. */
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
