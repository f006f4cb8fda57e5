import type { Clock } from '../base/clock.ts';
import { CHUNK_BYTES, chunkCount } from '../cache/chunks.ts';
import type { ContentVersion } from '../tree/index.ts';
import type { ContentCachePort } from './ports.ts';

/**
 * The maximum number of chunks that are fetched ahead of one reader. Two hide the latency of store and disk;
 * the others absorb variations.
 */
const MOST_AHEAD = 4;
/**
 * The maximum number of chunks in flight for all readers together: half of what the cache holds in memory at
 * a time.
 */
const MOST_UNDER_WAY = 4;
/**
 * If a chunk takes longer than this, the store or the network is slow. Then the read-ahead fetches one chunk
 * at a time, and none in parallel with the chunk that the reader requested. On a network of 3 MiB/s, four
 * chunks at a time would all miss the read deadline.
 */
const FAST_MS = 1_000;
/**
 * The maximum number of sequential readers that are tracked. If there are more, the read-ahead ends for the
 * one that has not requested a chunk for longest.
 */
const MOST_STREAMS = 32;
/**
 * A reader that requests nothing for this long counts as gone, because the kernel does not report its close.
 */
const LEFT_MS = 15_000;
/**
 * The share of the cache for read-ahead. Chunks past the prefetch bound take at most half of the cache, and
 * read-ahead takes a fourth of that half.
 */
const SHARE_OF_CACHE = 1 / 8;

export interface ReadAheadOptions {
  readonly cache: Pick<ContentCachePort, 'ensure' | 'has'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Bytes of content that the cache may hold. */
  readonly cacheBytes: number;
  readonly isSourceDown: () => boolean;
}

/** One sequential reader of a large file, inferred from the requested chunks. */
interface Stream {
  readonly version: ContentVersion;
  /** The last chunk that the reader requested. */
  at: number;
  /** How many chunks to fetch after chunk `at`; 0 until the reader requests a second consecutive chunk. */
  ahead: number;
  askedAt: number;
  readonly underWay: Map<number, AbortController>;
}

/**
 * Prefetches the next chunks for a sequential reader of a large file, so that it does not wait for the store at each
 * chunk. Runs in the background: readers' own requests have priority, and chunks that no reader needs any more are
 * abandoned.
 */
export class ReadAhead {
  readonly #options: ReadAheadOptions;
  readonly #mostAhead: number;
  /** The streams, the most recently used last. */
  readonly #streams: Stream[] = [];
  readonly #stopped = new AbortController();
  #underWay = 0;
  #watching = false;
  #fast = false;

  constructor(options: ReadAheadOptions) {
    this.#options = options;
    const fitting = Math.floor((options.cacheBytes * SHARE_OF_CACHE) / CHUNK_BYTES);
    this.#mostAhead = Math.min(MOST_AHEAD, fitting);
  }

  /** The number of chunks in flight. */
  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Call this after starting a reader's own request for this chunk, which has priority. Fetches the next
   * chunks.
   */
  asked(version: ContentVersion, chunk: number): void {
    if (this.#mostAhead === 0 || this.#stopped.signal.aborted) return;
    const stream = this.#streamOf(version, chunk);
    stream.askedAt = this.#options.clock.now();
    if (chunk > stream.at) {
      stream.ahead = Math.min(this.#mostAhead, Math.max(1, 2 * stream.ahead));
      stream.at = chunk;
    }
    for (const [behind, fetching] of stream.underWay) if (behind < stream.at) fetching.abort();
    this.#goOn(stream);
  }

  /** Call this when the chunk that a reader requested has arrived. */
  arrived(version: ContentVersion, chunk: number): void {
    for (const stream of this.#streams) {
      if (stream.version.name === version.name && stream.at === chunk) this.#goOn(stream);
    }
  }

  /** Call this when the reader of this chunk has gone, or its read failed. Ends its read-ahead. */
  left(version: ContentVersion, chunk: number): void {
    for (const stream of this.#streams) {
      if (stream.version.name === version.name && stream.at === chunk) this.#end(stream);
    }
  }

  /** Ends all read-ahead, because the store is down: chunks in flight would only wait for it. */
  giveUp(): void {
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  /** Stops permanently. */
  stop(): void {
    this.#stopped.abort();
    this.giveUp();
  }

  #streamOf(version: ContentVersion, chunk: number): Stream {
    const known = this.#streams.findIndex(
      ({ version: { name }, at, ahead }) => name === version.name && chunk >= at && chunk <= at + ahead + 1,
    );
    const [found] = known < 0 ? [] : this.#streams.splice(known, 1);
    const stream = found ?? { version, at: chunk, ahead: 0, askedAt: 0, underWay: new Map() };
    this.#streams.push(stream);
    if (this.#streams.length > MOST_STREAMS) this.#end(this.#streams[0]!);
    return stream;
  }

  /**
   * Fetches the next chunks for a reader, as many as may be in flight. The others follow when a chunk has
   * arrived, or after the reader's next request.
   */
  #goOn(stream: Stream): void {
    const { cache, isSourceDown } = this.#options;
    if (isSourceDown()) return;
    const { version, at, ahead, underWay } = stream;
    if (!this.#fast && !cache.has(version, at)) return;
    const mostUnderWay = this.#fast ? MOST_UNDER_WAY : 1;
    const end = Math.min(at + ahead + 1, chunkCount(version.size) ?? 0);
    for (let chunk = at + 1; chunk < end && this.#underWay < mostUnderWay; chunk++) {
      if (!underWay.has(chunk) && !cache.has(version, chunk)) this.#fetch(stream, chunk);
    }
    void this.#watch();
  }

  #fetch(stream: Stream, chunk: number): void {
    const { cache, clock } = this.#options;
    const startedAt = clock.now();
    const fetching = new AbortController();
    stream.underWay.set(chunk, fetching);
    this.#underWay += 1;
    const done = (kept: boolean): void => {
      stream.underWay.delete(chunk);
      this.#underWay -= 1;
      if (kept) this.#fast = Math.abs(clock.now() - startedAt) <= FAST_MS;
      // If the cache does not keep the chunk, or the store does not deliver it, the reader's own request will
      // report that.
      if (!kept && !fetching.signal.aborted) stream.ahead = 0;
      this.#goOn(stream);
    };
    cache.ensure(stream.version, chunk, { signal: fetching.signal, priority: 'background' }).then(
      ({ kind }) => done(kind === 'local'),
      () => done(false),
    );
  }

  /** Ends the streams of readers that have gone. Runs while chunks are in flight. */
  async #watch(): Promise<void> {
    const { clock } = this.#options;
    if (this.#watching) return;
    this.#watching = true;
    while (this.#underWay > 0 && !this.#stopped.signal.aborted) {
      await clock.sleep(LEFT_MS, this.#stopped.signal).catch(() => undefined);
      const now = clock.now();
      const gone = this.#streams.filter(({ askedAt }) => Math.abs(now - askedAt) >= LEFT_MS);
      for (const stream of gone) this.#end(stream);
    }
    this.#watching = false;
  }

  #end(stream: Stream): void {
    const place = this.#streams.indexOf(stream);
    if (place >= 0) this.#streams.splice(place, 1);
    stream.ahead = 0;
    for (const fetching of stream.underWay.values()) fetching.abort();
  }
}
