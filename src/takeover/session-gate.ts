import { blobRange, CHUNK_BYTES } from '../cache/chunks.ts';
import type { FetchResult } from '../session/messages.ts';
import { type ReaderUid, Turns } from '../sync/turns.ts';
import type { ContentVersion } from '../tree/index.ts';

/** How many blobs, of up to 8 MiB each, are fetched at a time before the cache is open. */
const FETCHES = 8;

export type ReadContent = (
  version: ContentVersion,
  chunk: number | undefined,
  signal: AbortSignal,
  reader: ReaderUid,
) => Promise<FetchResult>;

/** Resolves to the content of a blob, straight from the store. */
export type FetchEarly = (
  version: ContentVersion,
  chunk: number | undefined,
  signal: AbortSignal,
) => Promise<Uint8Array>;

export type Released = (nodeIds: readonly number[]) => void;

/**
 * Answers the session's cache misses, and receives the node ids that the kernel has released. A successor
 * answers readers before it has opened the cache (100 us a blob) and connected the store, which take longer
 * than the rest of its start. Until then, the session finds blobs on the local disk by itself, and other
 * content is fetched without the cache.
 */
export class SessionGate {
  readonly #fetchEarly: FetchEarly;
  readonly #turns = new Turns({ requests: FETCHES, bytes: FETCHES * CHUNK_BYTES });
  readonly #whole: Promise<ReadContent>;
  #read: ReadContent | undefined;
  #released: Released | undefined;
  readonly #releasedEarly: number[] = [];
  #openAll: (read: ReadContent) => void = () => undefined;

  constructor(fetchEarly: FetchEarly) {
    this.#fetchEarly = fetchEarly;
    this.#whole = new Promise((resolve) => {
      this.#openAll = resolve;
    });
  }

  open(read: ReadContent, released: Released): void {
    this.#read = read;
    this.#openAll(read);
    this.#released = released;
    if (this.#releasedEarly.length > 0) released(this.#releasedEarly);
  }

  readonly released: Released = (nodeIds) => {
    if (this.#released !== undefined) this.#released(nodeIds);
    else this.#releasedEarly.push(...nodeIds);
  };

  readonly read: ReadContent = async (version, chunk, signal, reader) => {
    if (this.#read !== undefined) return await this.#read(version, chunk, signal, reader);
    const whole = this.#whole.then((read) => read(version, chunk, signal, reader));
    const early = this.#early(version, chunk, signal, reader).then(
      (bytes) => ({ kind: 'memory', bytes }) as const,
      // If the early fetch fails, let the cached path succeed or report the error.
      () => whole,
    );
    return await Promise.race([early, whole]);
  };

  async #early(...[version, chunk, signal, reader]: Parameters<ReadContent>): Promise<Uint8Array> {
    const { start, end } = blobRange(version.size, chunk);
    const done = await this.#turns.take(reader, end - start, signal);
    try {
      return await this.#fetchEarly(version, chunk, signal);
    } finally {
      done();
    }
  }
}
