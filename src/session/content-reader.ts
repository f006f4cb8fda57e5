import { LRUCache } from 'lru-cache';
import { blobKey } from '../cache/blob-path.ts';
import { CHUNK_BYTES, chunkCount } from '../cache/chunks.ts';
import { SingleFlight, type Stop } from '../cache/single-flight.ts';
import { ABSENT, ARRIVING } from '../cache/stamp.ts';
import type { ContentVersion } from '../tree/index.ts';
import type { BlobReader } from './blob-reader.ts';
import type { ContentRange } from './handlers.ts';
import type { FetchResult, ReadErrno } from './messages.ts';

/** Chunks of large files whose place on the local disk is known. */
const KNOWN_CHUNKS = 4096;
/** Content that the cache's disk could not take, kept so that the rest of it is not fetched again. */
const MEMORY_BYTES = 4 * CHUNK_BYTES;
/**
 * A blob may be evicted, or altered, between main's word and our read of it. Often only where many read far more than
 * the cache holds; a file system under the cache that changes inodes by itself must not keep us here for ever.
 */
const TRIES = 8;
/** How often, and how many times, is looked whether content that is on its way has come. */
const ARRIVAL_MS = 4;
const MOST_LOOKS = 5;

export type Fetch = (
  version: ContentVersion,
  chunk: number | undefined,
  signal: Stop,
) => Promise<FetchResult>;

/** Where it is remembered under which stamp the whole blob of a node's version was last verified. */
export interface Stamps {
  stampOf(nodeId: number): bigint;
  setStampOf(nodeId: number, stamp: bigint): void;
}

/** Bytes of a version: at once from the local disk, or through main. */
export class ContentReader {
  readonly #blobs: BlobReader;
  readonly #stamps: Stamps;
  readonly #fetch: Fetch;
  /** The kernel asks for a chunk in parts, several at a time: what main hands over in memory is to come once. */
  readonly #flights = new SingleFlight<FetchResult>();
  readonly #chunkStamps = new LRUCache<string, bigint>({ max: KNOWN_CHUNKS });
  readonly #memory = new LRUCache<string, Uint8Array>({
    maxSize: MEMORY_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });

  /** One timer for all who wait. */
  #nextLook: Promise<void> | undefined;

  constructor(blobs: BlobReader, stamps: Stamps, fetch: Fetch) {
    this.#blobs = blobs;
    this.#stamps = stamps;
    this.#fetch = fetch;
  }

  /** Fills `target` if all of the range is local; otherwise returns false and `target` means nothing. */
  readLocal(range: ContentRange, target: Uint8Array): boolean {
    return this.#parts(range).every((part) =>
      this.#readPart(range, part, this.#stamp(range, part.chunk), target),
    );
  }

  /**
   * Fills `target`, fetching what is not local. Resolves with the errno where it cannot be had; rejects with the
   * signal's reason.
   */
  async read(range: ContentRange, target: Uint8Array, signal: AbortSignal): Promise<ReadErrno | undefined> {
    for (const part of this.#parts(range)) {
      const errno = await this.#fetchPart(range, part, target, signal);
      if (errno !== undefined) return errno;
    }
    return undefined;
  }

  async #fetchPart(
    range: ContentRange,
    part: Part,
    target: Uint8Array,
    signal: AbortSignal,
  ): Promise<ReadErrno | undefined> {
    let stamp = await this.#arrivedStamp(range, part.chunk);
    for (let tries = 0; tries <= TRIES; tries++) {
      if (this.#readPart(range, part, stamp, target)) return undefined;
      const result = await this.#fetchOnce(range.version, part.chunk, signal);
      switch (result.kind) {
        case 'error':
          return result.errno;
        case 'memory':
          this.#memory.set(keyOf(range.version, part.chunk), result.bytes);
          target.set(result.bytes.subarray(part.position, part.position + part.length), part.target);
          return undefined;
        case 'local':
          stamp = result.stamp;
          if (part.chunk === undefined) this.#stamps.setStampOf(range.nodeId, stamp);
          else this.#chunkStamps.set(keyOf(range.version, part.chunk), stamp);
          break;
        default:
          result satisfies never;
      }
    }
    return 'EIO';
  }

  /** Rejects with the signal's reason. */
  #fetchOnce(version: ContentVersion, chunk: number | undefined, signal: AbortSignal): Promise<FetchResult> {
    return this.#flights.run(keyOf(version, chunk), { signal, urgent: true }, (flight) =>
      this.#fetch(version, chunk, flight.signal),
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

  #stamp(range: ContentRange, chunk: number | undefined): bigint {
    if (chunk === undefined) return this.#stamps.stampOf(range.nodeId);
    return this.#chunkStamps.get(keyOf(range.version, chunk)) ?? 0n;
  }

  /**
   * Waits a little for what the prefetch has under way. A scan right behind the prefetch would else ask for file
   * after file, which costs both threads a message each way and is a third of the CPU of a cold scan.
   */
  async #arrivedStamp(range: ContentRange, chunk: number | undefined): Promise<bigint> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const stamp = this.#stamp(range, chunk);
      if (stamp !== ARRIVING) return stamp;
      this.#nextLook ??= new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS)).then(() => {
        this.#nextLook = undefined;
      });
      await this.#nextLook;
    }
    return ABSENT;
  }

  #readPart(range: ContentRange, part: Part, stamp: bigint, target: Uint8Array): boolean {
    const { chunk, position, length } = part;
    const bytes = target.subarray(part.target, part.target + length);
    if (this.#blobs.read(range.version.name, chunk, stamp, position, bytes)) return true;
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
