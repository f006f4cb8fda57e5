import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Yielder } from '../base/yielder.ts';
import type { BesideState } from '../cache/blob-index.ts';
import type { Generation } from '../tree/index.ts';
import { boundedForEach } from './bounded-for-each.ts';
import { type ContentState, MARK } from './content-state.ts';
import { codeOf } from './failure.ts';
import { fetchEntry, isLocal } from './fetch-content.ts';
import type { ContentCachePort, FetchPlanner } from './ports.ts';
import { hasContent, isWanted } from './prefetch-bound.ts';
import { contentHoldOf } from './source-hold.ts';

/** The part of the content cache that versions use. */
export interface VersionCachePort extends Pick<ContentCachePort, 'ensure' | 'has'> {
  /**
   * Records that a version (an earlier release) shows this content. Content that only versions show is
   * evicted after content that nothing shows, and before the current tree's.
   */
  showBeside(name: string): void;
  hideBeside(name: string): void;
  /** The fingerprint of the blob of a whole file, if it was verified. */
  fingerprintOf(name: string): bigint | undefined;
  /** The state of the content of all versions. */
  readonly beside: BesideState;
}

export interface VersionContentOptions {
  readonly cache: VersionCachePort;
  readonly planner: FetchPlanner | undefined;
  /** The maximum number of concurrent fetches of the current tree; versions get a part of them. */
  readonly concurrency: number;
  /** The largest file to fetch, bytes. */
  readonly prefetchBytes: number;
  /** Whether content of the current tree is being fetched, which comes first. */
  readonly isBusy: () => boolean;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
}

/** A version, and the state of its content. */
export interface VersionTarget {
  readonly id: string;
  readonly generation: Generation;
  readonly content: ContentState;
}

interface Held extends VersionTarget {
  /** Aborted when the version is dropped, or everything is stopped. */
  readonly dropped: AbortController;
  readonly registered: Promise<void>;
  /**
   * The cache's count of lost blobs of versions, at the time when this version had all content that fits;
   * undefined before that time.
   */
  wholeAt: number | undefined;
}

/** Versions get a fourth of --concurrency, so that readers and a publication in between need not wait. */
const SHARE_OF_CONCURRENCY = 4;
/** How often to check whether the prefetch of the current tree has ended. */
const BUSY_MS = 250;

/**
 * Fetches the content of the versions that are in use, so that their readers need not ask for file after
 * file. This has the lowest priority: one version at a time, by few fetches, and none while content of the
 * current tree is fetched. If a version does not fit into the cache, this fetches as much of it as there is
 * room for, and readers get the rest from the store. Evicted content of a version is fetched again at its
 * next use, but not by evicting other versions: otherwise two versions in use that do not fit together would
 * evict each other for ever.
 */
export class VersionContent {
  readonly #options: VersionContentOptions;
  readonly #held = new Map<string, Held>();
  readonly #queue: Held[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: VersionContentOptions) {
    this.#options = options;
  }

  /** Adds a version that is shown. Resolves when the cache knows its content. */
  add(target: VersionTarget): Promise<void> {
    const registered = this.#register(target.generation, (name) => this.#options.cache.showBeside(name));
    const dropped = new AbortController();
    this.#held.set(target.id, { ...target, dropped, registered, wholeAt: undefined });
    return registered;
  }

  /** Call this when a version is used. Fetches its content in the background, unless it is already there. */
  used(id: string): void {
    const held = this.#held.get(id);
    if (this.#isStopped || held === undefined || this.#queue.includes(held)) return;
    if (held.wholeAt === this.#options.cache.beside.lost) return;
    this.#queue.push(held);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Drops a version that is no longer shown. */
  async drop(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    held.dropped.abort();
    await held.registered;
    await this.#register(held.generation, (name) => this.#options.cache.hideBeside(name));
  }

  /** Stops permanently. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { dropped } of this.#held.values()) dropped.abort();
    await this.#running;
  }

  async #register(generation: Generation, tell: (name: string) => void): Promise<void> {
    const yielder = new Yielder();
    for (let index = 0; index < generation.entries; index++) {
      if (hasContent(generation, index)) tell(generation.versionName(index));
      if (yielder.due()) await yielder.turn();
    }
  }

  async #run(): Promise<void> {
    for (let held = this.#queue[0]; held !== undefined; held = this.#queue[0]) {
      if (!held.dropped.signal.aborted) await this.#fetch(held);
      this.#queue.shift();
    }
  }

  /**
   * Fetches the content of a version. Never rejects: content that could not be fetched is tried again when
   * the version is used the next time.
   */
  async #fetch(held: Held): Promise<void> {
    const { cache, clock, isBusy, log } = this.#options;
    const { id } = held;
    const { signal } = held.dropped;
    try {
      for (;;) {
        while (isBusy()) await clock.sleep(BUSY_MS, signal);
        const lost = cache.beside.lost;
        const wanted = await this.#wantedOf(held, signal);
        const isInterrupted = wanted.length > 0 && (await this.#pass(held, wanted, signal));
        if (isInterrupted) continue;
        held.wholeAt = lost;
        log.debug(
          { event: 'version-fetched', version: id, files: wanted.length },
          'the prefetch of a version has ended',
        );
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      const code = codeOf(error);
      if (code === undefined) log.error({ event: 'version-fetch-failed', version: id, err: error }, CRASHED);
      else log.info({ event: 'version-fetch-failed', version: id, code }, FAILED);
    }
  }

  /** Returns the entries that are not local and for which there is room, in the order of a scan. */
  async #wantedOf(held: Held, signal: AbortSignal): Promise<Uint32Array> {
    const { generation, content, wholeAt } = held;
    const { cache, prefetchBytes } = this.#options;
    const isFirst = wholeAt === undefined;
    const yielder = new Yielder();
    const missing: number[] = [];
    let local = 0;
    for (let index = 0; index < generation.entries; index++) {
      if (yielder.due()) {
        await yielder.turn();
        signal.throwIfAborted();
      }
      // The content may have been evicted since the last fetch.
      if (!isFirst && content.marks[index] === MARK.local && !isLocal(cache, generation.version(index)))
        content.forget(index);
      if (!isWanted(generation, content, index, prefetchBytes)) continue;
      // A session that has the fingerprint reads the blob without asking this thread for it.
      const fingerprint = cache.fingerprintOf(generation.versionName(index));
      if (fingerprint !== undefined) content.setLocal(index, fingerprint);
      else if (!isLocal(cache, generation.version(index))) {
        missing.push(index);
        continue;
      } else content.marks[index] = MARK.local;
      local += generation.size(index);
    }
    let room = isFirst ? cache.beside.room - local : cache.beside.free;
    const fitting: number[] = [];
    for (const index of missing) {
      room -= generation.size(index);
      if (room < 0) break;
      fitting.push(index);
    }
    return Uint32Array.from(fitting);
  }

  /**
   * Fetches the wanted entries of a version. Returns whether it stopped because the current tree is being
   * fetched.
   */
  async #pass(held: Held, wanted: Uint32Array, signal: AbortSignal): Promise<boolean> {
    const { cache, planner, concurrency, isBusy } = this.#options;
    const plan = planner?.plan(held.generation, wanted);
    const order = plan?.order ?? wanted;
    const atOnce = Math.max(1, Math.floor(concurrency / SHARE_OF_CONCURRENCY));
    const iterating = { total: order.length, concurrency: atOnce, yielder: new Yielder(), signal };
    let isInterrupted = false;
    try {
      await boundedForEach(iterating, async (at, over) => {
        isInterrupted ||= isBusy();
        if (isInterrupted) return 'stop';
        const index = order[at]!;
        try {
          const fetched = await fetchEntry(cache, held, index, over);
          if (fetched.kind !== 'no-room') return 'next';
          // The room that was planned for is taken: the remaining files would not fit either.
          held.content.marks[index] = MARK.noRoom;
          return 'stop';
        } catch (error) {
          // Only this pack is missing or damaged: the other files of the version can still be fetched.
          if (over.aborted || contentHoldOf(error) === undefined) throw error;
          return 'next';
        }
      });
    } finally {
      plan?.end();
    }
    return isInterrupted;
  }
}

const CRASHED = 'the prefetch of a version stopped with an unexpected error';
const FAILED = 'the prefetch of a version ended early: its next use starts it again';
