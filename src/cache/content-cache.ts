import type { ContentVersion } from '../base/content-version.ts';
import { isSystemError } from '../base/system-error.ts';
import { Yielder } from '../base/yielder.ts';
import type { RequestPriority } from '../store/object-store.ts';
import type { BesideState } from './blob-index.ts';
import { blobKey } from './blob-path.ts';
import { ByteBudget } from './byte-budget.ts';
import { CacheError } from './cache-error.ts';
import { CHUNK_BYTES } from './chunks.ts';
import { type DirectoryLock, type LockDirectory, lockPath } from './directory-lock.ts';
import { DiskCache } from './disk-cache.ts';
import type { DiskTrouble } from './disk-health.ts';
import {
  type CurrentContent,
  type FetchCurrentOptions,
  fetchCurrent,
  type Located,
} from './fetch-current.ts';
import { CacheInspection } from './inspection.ts';
import { type Landed, type LandingMeans, landBlob } from './land-blob.ts';
import type { Clock, Logger } from './ports.ts';
import { preparePrivateDirectory } from './private-directory.ts';
import type { ContentStore } from './receive.ts';
import { recover } from './recovery.ts';
import { logRecovery } from './recovery-log.ts';
import type { Bound } from './retention-table.ts';
import { type Flight, SingleFlight, type Stop } from './single-flight.ts';
import { flawUnderKey } from './trailer.ts';
import { WriteQueue } from './write-queue.ts';

export interface ContentCacheOptions {
  /** The mount's own directory: see mountDirectory(). */
  readonly directory: string;
  /** Bytes of content; trailers and the filesystem's rounding are not counted. */
  readonly limitBytes: number;
  /** Evict nothing until resumeEviction(), because it is not yet known which versions are shown or pinned. */
  readonly evictionPaused?: boolean | undefined;
  readonly store: ContentStore;
  readonly lock: LockDirectory;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called if the disk accepts no writes, and for each corrupt blob. */
  readonly onTrouble?: ((code: DiskTrouble | 'corrupt', detail: string) => void) | undefined;
  /**
   * The maximum number of bytes of content in memory that is being read from the store or the disk. Default:
   * eight chunks.
   */
  readonly bufferBytes?: number;
  /** The user that must own the directory. Default: this process's effective user. */
  readonly uid?: number;
}

export type { CurrentContent, Located } from './fetch-current.ts';

export type Priority = RequestPriority;

export interface EnsureOptions {
  readonly signal: Stop;
  /** Default `demand`. */
  readonly priority?: Priority;
  /**
   * Do not request the content from the store, because the store is known to be down. A caller that joins a
   * running fetch still gets the result of that fetch.
   */
  readonly localOnly?: boolean;
}

export interface CacheStats {
  /** Blobs. */
  readonly entries: number;
  /** Bytes of content. */
  readonly bytes: number;
  readonly limitBytes: number;
  /** Requests by readers whose blob was on disk. Blobs that the session reads by itself do not count. */
  readonly hits: number;
  /** Requests by readers whose blob was fetched. */
  readonly misses: number;
  readonly evictions: number;
  /** The number of blobs that were corrupt. Each was removed. */
  readonly corrupt: number;
  /** Blobs of pinned versions. */
  readonly pinned: number;
  /** Fetches whose content was not cached, for lack of room or because the disk refused it. */
  readonly passedThrough: number;
  readonly degraded: readonly DiskTrouble[];
}

export interface Verification {
  /** Blobs that were read. */
  readonly blobs: number;
  /** Bytes of content in these blobs. */
  readonly bytes: number;
  /** Keys of the corrupt blobs, which were removed. */
  readonly corrupt: readonly string[];
}

const BUFFER_BYTES = 8 * CHUNK_BYTES;
const SAVE_ORDER_MS = 60_000;
const EMPTY: Located = { kind: 'memory', bytes: new Uint8Array(0) };

/**
 * Keeps the content of versions on local disk, within a limit: fetched once, and verified before it is used.
 */
export class ContentCache {
  readonly #options: ContentCacheOptions;
  readonly #disk: DiskCache;
  readonly #lock: DirectoryLock;
  readonly #inspection: CacheInspection;
  readonly #means: LandingMeans;
  readonly #flights = new SingleFlight<Landed>();
  readonly #currentFlights = new SingleFlight<CurrentContent>();
  readonly #closing = new AbortController();
  readonly #saving: Promise<void>;
  #closed: Promise<void> | undefined;
  #hits = 0;
  #misses = 0;
  #passedThrough = 0;

  private constructor(options: ContentCacheOptions, disk: DiskCache, lock: DirectoryLock) {
    this.#options = options;
    this.#disk = disk;
    this.#lock = lock;
    this.#inspection = new CacheInspection(disk);
    this.#means = {
      store: options.store,
      disk,
      buffers: new ByteBudget(options.bufferBytes ?? BUFFER_BYTES),
      passedThrough: () => {
        this.#passedThrough += 1;
      },
      writes: new WriteQueue(),
    };
    this.#saving = this.#saveRegularly();
  }

  /**
   * Creates and locks the directory, and takes over the blobs of an earlier process. Rejects with CacheError.
   */
  static async open(options: ContentCacheOptions): Promise<ContentCache> {
    const { directory, log } = options;
    await preparePrivateDirectory(directory, options.uid ?? process.geteuid?.());
    const lock = options.lock(lockPath(directory));
    try {
      const recovered = await recover(directory);
      logRecovery(recovered, log);
      const disk = new DiskCache(options, recovered.shards);
      await disk.addRecovered(recovered);
      return new ContentCache(options, disk, lock);
    } catch (error) {
      lock.release();
      if (!isSystemError(error)) throw error;
      throw new CacheError(
        'cache-unwritable',
        `The cache directory ${directory} cannot be read: ${error.code}.`,
        'Make it usable for this user, or name another one with --cache-dir.',
        error,
      );
    }
  }

  /**
   * Makes one blob local: a whole file, or with `chunk` that part of a file over CHUNK_BYTES. A blob on disk
   * is verified first if this process has not verified it or if its fingerprint changed. A corrupt blob is
   * fetched again. Callers share one fetch per blob, which is aborted when all of them have stopped waiting.
   *
   * Never fails because of the disk: if the disk cannot take the content, the result has it in memory.
   * Rejects with StoreError, with NotCached if `localOnly` finds no good blob, with CacheError after close(),
   * or with the signal's reason.
   *
   * CPU for a blob of 4 KiB, without the store's part: 75 to 110 us for a missing blob on tmpfs, and 35 us
   * more on ext4 (10,000 blobs in a process just started; 50 us of it in JavaScript); 30 to 40 us for a
   * recovered blob, which is verified; 11 to 15 us for a blob that was verified before.
   */
  async ensure(
    version: ContentVersion,
    chunk: number | undefined,
    { signal, priority = 'demand', localOnly = false }: EnsureOptions,
  ): Promise<Located> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    if (version.size === 0) return EMPTY;
    const key = blobKey(version.name, chunk);
    const urgent = priority === 'demand';
    const blob = this.#disk.index.peek(key);
    if (blob !== undefined && this.#disk.isVerified(blob)) {
      this.#disk.use(blob);
      if (urgent) this.#hits += 1;
      return { kind: 'local', fingerprint: blob.fingerprint };
    }
    const land = (flight: Flight): Promise<Landed> =>
      landBlob(version, chunk, this.#means, flight, localOnly);
    const { located, isFetched } = await this.#flights.run(key, { signal, urgent }, land);
    if (urgent && isFetched) this.#misses += 1;
    if (urgent && !isFetched) this.#hits += 1;
    return located;
  }

  /**
   * Makes the current content of a path local, whichever version it is, for objects that change faster than
   * they can be listed. The version counts as shown within the bound until hide() is called. Rejects as
   * ensure() does.
   */
  async fetchCurrent(
    path: string,
    options: FetchCurrentOptions & { readonly signal: Stop },
  ): Promise<CurrentContent> {
    this.#closing.signal.throwIfAborted();
    const waiter = { signal: options.signal, urgent: false };
    return this.#currentFlights.run(path, waiter, (flight) =>
      fetchCurrent(path, options, this.#means, flight),
    );
  }

  /** Whether the blob is on disk: verified, or recovered and to be verified at its first request. */
  has(version: Pick<ContentVersion, 'name'>, chunk?: number): boolean {
    return this.#disk.index.peek(blobKey(version.name, chunk)) !== undefined;
  }

  /** Returns the fingerprint of the blob of a whole file; undefined if it is not verified: see DiskCache. */
  fingerprintOf(name: string): bigint | undefined {
    return this.#disk.fingerprintOf(name);
  }

  /** Marks a version as shown by the current tree, now or soon. A later call may give another bound. */
  show({ name }: Pick<ContentVersion, 'name'>, bound: Bound): void {
    this.#disk.index.show(name, bound);
  }

  /** Marks a version as no longer shown by the current tree. No effect on a version that was not shown. */
  hide({ name }: ContentVersion): void {
    this.#disk.index.hide(name);
  }

  /** Marks a version as shown by a tree beside the current one, until hideBeside() is called as often. */
  showBeside(name: string): void {
    this.#disk.index.showBeside(name);
  }

  hideBeside(name: string): void {
    this.#disk.index.hideBeside(name);
  }

  get beside(): BesideState {
    return this.#disk.index.beside;
  }

  /** Evicts the excess. Call this once all that an earlier process showed or pinned is registered again. */
  resumeEviction(): void {
    this.#disk.index.resumeEviction();
  }

  /** Protects a version's blobs, also later ones, from eviction, until unpin() was called as often. */
  pin(name: string): void {
    this.#disk.index.pin(name);
  }

  /** Removes one pin. No effect on a version that is not pinned. */
  unpin(name: string): void {
    this.#disk.index.unpin(name);
  }

  get inspection(): CacheInspection {
    return this.#inspection;
  }

  stats(): CacheStats {
    const { corrupt, trouble, index } = this.#disk;
    return {
      entries: index.entries,
      bytes: index.bytes,
      limitBytes: this.#options.limitBytes,
      hits: this.#hits,
      misses: this.#misses,
      evictions: index.evictions,
      corrupt,
      pinned: index.pinned,
      passedThrough: this.#passedThrough,
      degraded: trouble === undefined ? [] : [trouble],
    };
  }

  /** Reads and verifies every blob, and removes the corrupt ones. Rejects with the signal's reason. */
  async verify({ signal }: { readonly signal: AbortSignal }): Promise<Verification> {
    const corrupt: string[] = [];
    let blobs = 0;
    let bytes = 0;
    const yielder = new Yielder({ sliceMs: 2, callsPerLook: 8 });
    for (const blob of this.#disk.index.inOrder().flatMap(({ blobs: ranked }) => ranked)) {
      if (yielder.due()) await yielder.turn();
      signal.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      const { key } = blob;
      if (this.#disk.index.peek(key) !== blob) continue;
      const checked = await this.#disk.check(blob, (file) => flawUnderKey(file, key));
      blobs += 1;
      bytes += blob.bytes;
      if (checked.kind === 'bad') corrupt.push(key);
    }
    return { blobs, bytes, corrupt };
  }

  /** Aborts work in progress, saves the order of eviction and unlocks the directory. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const reason = new CacheError('cache-closed', 'The cache is closed.', 'Start the daemon again.');
    this.#closing.abort(reason);
    await Promise.all([this.#flights.end(reason), this.#currentFlights.end(reason)]);
    await this.#saving;
    await this.#disk.saveOrder();
    this.#lock.release();
  }

  async #saveRegularly(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#options.clock.sleep(SAVE_ORDER_MS, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (!signal.aborted) await this.#disk.saveOrder();
    }
  }
}
