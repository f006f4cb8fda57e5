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

/** A range of bytes of the version that a node id identifies. */
export interface ContentRange {
  readonly nodeId: number;
  readonly version: ContentVersion;
  /** Bytes from the start of the file. */
  readonly position: number;
  readonly length: number;
}

/**
 * The most bytes of blobs kept in memory because the disk cache did not store them. The kernel reads a blob in parts: later
 * READs of the same blob use these bytes instead of another fetch.
 */
const MEMORY_BYTES = 4 * CHUNK_BYTES;
/** How often to check whether content in flight has arrived, and how many times. */
const ARRIVAL_MS = 4;
const MOST_LOOKS = 5;

export type Fetch = (
  version: ContentVersion,
  chunk: number | undefined,
  signal: Stop,
  /** The uid of the waiting reader, if known. */
  reader: number | undefined,
) => Promise<FetchResult>;

/** Reads bytes of a version: directly from the local disk, or through the main thread. */
export class ContentReader {
  readonly #blobs: BlobReader;
  readonly #fingerprints: KnownFingerprints;
  readonly #fetch: Fetch;
  /** The kernel requests a chunk in parts, several at a time: content passed in memory must arrive only once. */
  readonly #flights = new SingleFlight<FetchResult>();
  readonly #memory = new LRUCache<string, Uint8Array>({
    maxSize: MEMORY_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });

  /** One timer, shared by all waiting reads. */
  #nextLook: Promise<void> | undefined;

  constructor(blobs: BlobReader, trees: Pick<MountedTrees, 'node'>, fetch: Fetch) {
    this.#blobs = blobs;
    this.#fingerprints = new KnownFingerprints(trees);
    this.#fetch = fetch;
  }

  /** Fills `target` if the whole range is local; otherwise returns false and `target` is undefined. */
  readLocal(range: ContentRange, target: Uint8Array): boolean {
    return this.#parts(range).every((part) =>
      this.#readPart(range, part, this.#fingerprints.of(range, part.chunk), target),
    );
  }

  /**
   * The bytes of the range, fetched if they are not local, or the reason for failure. A waiting read allocates no
   * buffer: thousands of READs of up to 1 MiB may wait. Rejects with the signal's reason.
   *
   * @param reader the uid that waits, if known
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
    // Kept over tries only with a part in it: a small cache under load may never hold two parts at once.
    let target: Uint8Array | undefined;
    const readInto = (part: Part): boolean => {
      target ??= new Uint8Array(range.length);
      return this.#readPart(range, part, known.get(part) ?? ABSENT, target);
    };
    let absent = parts.filter((part) => !this.#isThere(range, part, known.get(part)));
    // The main thread names a blob that may be evicted before it is read here: often only if readers need far more
    // than the cache holds. A file system under the cache that changes inodes by itself must not cause an endless
    // loop.
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

  /** One fetch per waiting uid: a reader must not wait for another uid's turn. Rejects with the signal's reason. */
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
   * Waits briefly for content that the prefetch is fetching. Otherwise a scan right behind the prefetch would request
   * file after file, which costs both threads a message each way: a third of the CPU of a cold scan.
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
