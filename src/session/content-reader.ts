import { LRUCache } from 'lru-cache';
import type { ReadFailure } from '../base/read-failure.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { blobKey } from '../cache/blob-path.ts';
import { CHUNK_BYTES, chunkCount } from '../cache/chunks.ts';
import { SingleFlight, type Stop } from '../cache/single-flight.ts';
import { ABSENT, ARRIVING, isFingerprint } from '../cache/verification.ts';
import type { ContentVersion } from '../tree/index.ts';
import type { BlobReader } from './blob-reader.ts';
import { KnownFingerprints } from './known-fingerprints.ts';
import type { FetchResult } from './messages.ts';
import type { MountedTrees } from './trees/mounted-trees.ts';

/** A range of bytes of the file version that a node id identifies. */
export interface ContentRange {
  readonly nodeId: number;
  readonly version: ContentVersion;
  /** Bytes from the start of the file. */
  readonly position: number;
  readonly length: number;
}

/**
 * The maximum number of bytes of blobs that are kept in memory because the disk cache did not store them. The
 * kernel reads a blob in parts, and later READs of the same blob use these bytes instead of another fetch.
 */
const MEMORY_BYTES = 4 * CHUNK_BYTES;
/** The interval, and the number, of checks whether content that the prefetch is fetching has arrived. */
const ARRIVAL_MS = 4;
const MOST_LOOKS = 5;

export type Fetch = (
  version: ContentVersion,
  chunk: number | undefined,
  signal: Stop,
  /** The uid of the waiting reader, if known. */
  reader: number | undefined,
) => Promise<FetchResult>;

/**
 * Reads bytes of a file version: from the local disk if they are there, otherwise through the main thread.
 */
export class ContentReader {
  readonly #blobs: BlobReader;
  readonly #fingerprints: KnownFingerprints;
  readonly #fetch: Fetch;
  /**
   * Shares one fetch among concurrent READs of the same blob. The kernel requests a chunk in several parts at
   * the same time, and the main thread must not send the same bytes once for each part.
   */
  readonly #flights = new SingleFlight<FetchResult>();
  readonly #memory = new LRUCache<string, Uint8Array>({
    maxSize: MEMORY_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });

  /** The next check for arriving content. All reads that wait for such content share its timer. */
  #nextLook: Promise<void> | undefined;

  constructor(blobs: BlobReader, trees: Pick<MountedTrees, 'node'>, fetch: Fetch) {
    this.#blobs = blobs;
    this.#fingerprints = new KnownFingerprints(trees);
    this.#fetch = fetch;
  }

  /**
   * Fills `target` and returns true if the whole range is on the local disk or in memory. Otherwise returns
   * false, and the content of `target` is undefined.
   */
  readLocal(range: ContentRange, target: Uint8Array): boolean {
    return this.#parts(range).every((part) =>
      this.#readPart(range, part, this.#fingerprints.of(range, part.chunk), target),
    );
  }

  /**
   * Returns the bytes of the range, or why they cannot be read. Fetches the parts of the range that are not
   * local. Allocates the buffer only when the first part has arrived, because thousands of READs of up to 1
   * MiB may wait. If the signal aborts, rejects with the signal's reason.
   *
   * @param reader the uid of the waiting reader, if known
   */
  async read(
    range: ContentRange,
    reader: number | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array | ReadFailure> {
    const parts = this.#parts(range);
    const known = new Map<Part, bigint>();
    for (const part of parts) known.set(part, await this.#arrivedFingerprint(range, part.chunk));
    let unread = parts;
    // Kept for the next try if at least one part was read into it, because a small cache under load may never
    // hold two parts at once.
    let target: Uint8Array | undefined;
    const readInto = (part: Part): boolean => {
      target ??= new Uint8Array(range.length);
      return this.#readPart(range, part, known.get(part) ?? ABSENT, target);
    };
    let absent = parts.filter((part) => !this.#isThere(range, part, known.get(part)));
    // The cache may evict a blob after the main thread has reported it as local and before it is read here;
    // then it is fetched again. That is frequent only if readers need far more than the cache holds. The
    // tries are limited, because a file system under the cache that changes inodes by itself would cause an
    // endless loop.
    for (let tries = 1; tries <= RETRIES.evictedBlob.tries; tries++) {
      for (const part of absent) {
        const result = await this.#fetchOnce(range.version, part.chunk, reader, signal);
        if (result.kind === 'error') return result.failure;
        if (result.kind === 'memory') this.#memory.set(keyOf(range.version, part.chunk), result.bytes);
        else {
          this.#fingerprints.note(range, part.chunk, result.fingerprint);
          known.set(part, result.fingerprint);
        }
        if (readInto(part)) unread = unread.filter((each) => each !== part);
      }
      unread = unread.filter((part) => !readInto(part));
      if (unread.length === 0 && target !== undefined) return target;
      if (unread.length === parts.length) target = undefined;
      absent = unread;
    }
    return 'unavailable';
  }

  #isThere({ version }: ContentRange, { chunk }: Part, fingerprint: bigint = ABSENT): boolean {
    return isFingerprint(fingerprint) || this.#memory.has(keyOf(version, chunk));
  }

  /**
   * Fetches a blob once for all waiting readers of one uid. Readers of different uids do not share a fetch,
   * because a reader must not wait for another uid's turn (src/sync/turns.ts). If the signal aborts, rejects
   * with the signal's reason.
   */
  #fetchOnce(
    version: ContentVersion,
    chunk: number | undefined,
    reader: number | undefined,
    signal: AbortSignal,
  ): Promise<FetchResult> {
    return this.#flights.run(`${keyOf(version, chunk)} ${reader}`, { signal, urgent: true }, (flight) =>
      this.#fetch(version, chunk, flight.signal, reader),
    );
  }

  #parts({ version, position, length }: ContentRange): Part[] {
    if (chunkCount(version.size) === undefined) return [{ chunk: undefined, position, target: 0, length }];
    const parts: Part[] = [];
    for (let at = position; at < position + length; ) {
      const chunk = Math.floor(at / CHUNK_BYTES);
      const end = Math.min(position + length, (chunk + 1) * CHUNK_BYTES);
      parts.push({ chunk, position: at - chunk * CHUNK_BYTES, target: at - position, length: end - at });
      at = end;
    }
    return parts;
  }

  /**
   * Returns the fingerprint of a blob, or ABSENT. Waits briefly if the prefetch is fetching the blob. Without
   * this wait, a scan right behind the prefetch would request file after file. Each request costs both
   * threads a message each way, which takes a third of the CPU of a cold scan.
   */
  async #arrivedFingerprint(range: ContentRange, chunk: number | undefined): Promise<bigint> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const fingerprint = this.#fingerprints.of(range, chunk);
      if (fingerprint !== ARRIVING) return fingerprint;
      this.#nextLook ??= new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS)).then(() => {
        this.#nextLook = undefined;
      });
      await this.#nextLook;
    }
    return ABSENT;
  }

  #readPart(range: ContentRange, part: Part, fingerprint: bigint, target: Uint8Array): boolean {
    const { chunk, position, length } = part;
    const bytes = target.subarray(part.target, part.target + length);
    if (this.#blobs.read(range.version.name, chunk, fingerprint, position, bytes)) return true;
    const kept = this.#memory.get(keyOf(range.version, chunk));
    if (kept === undefined) return false;
    bytes.set(kept.subarray(position, position + length));
    return true;
  }
}

interface Part {
  readonly chunk: number | undefined;
  /** Bytes from the start of the blob. */
  readonly position: number;
  /** Bytes from the start of the target. */
  readonly target: number;
  readonly length: number;
}

function keyOf({ name }: ContentVersion, chunk: number | undefined): string {
  return blobKey(name, chunk);
}
