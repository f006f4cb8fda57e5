import { hash } from 'node:crypto';
import { digestOf } from '../../../base/content-digest.ts';
import { type ByteRange, CHUNK_BYTES } from '../../../cache/chunks.ts';
import type { ContentRequest, ContentStore } from '../../../cache/receive.ts';
import { releaseKeys } from '../../../release/index.ts';
import type { ObjectBody, ObjectStore, RequestPriority } from '../../../store/object-store.ts';
import type { Stop } from '../../../store/stop.ts';
import { StoreError } from '../../../store/store-error.ts';
import type { Generation } from '../../../tree/index.ts';
import type { KeptWholes } from './kept-wholes.ts';
import { LargeContents } from './large-contents.ts';
import { contentError, corruptContent } from './pack-error.ts';
import { PlannedFetches } from './planned-fetches.ts';
import { ShortPack } from './segment-fetch.ts';
import type { PackedContent } from './segments.ts';

/** The content that is requested for one file. */
interface Asked extends PackedContent {
  readonly path: string;
  readonly sha256: string;
}

/**
 * Reads the contents of a release's files from packs, objects that each contain many contents. A caller that
 * wants many files, such as the prefetch, first calls `plan` with them. Then one request to the store reads
 * many of these contents. Any other content is read by a request of its own. Every returned content has the
 * SHA-256 that the release names.
 */
export class ReleaseContent implements ContentStore {
  readonly #store: Pick<ObjectStore, 'get'>;
  readonly #planned: PlannedFetches;
  readonly #large: LargeContents;

  /** The keys of `store` are relative to the release root. */
  constructor(store: Pick<ObjectStore, 'get'>, wholes: KeptWholes, partBytes = CHUNK_BYTES) {
    this.#store = store;
    const read = (pack: string, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> =>
      this.#stream(pack, range, 'background', signal);
    this.#planned = new PlannedFetches(read);
    this.#large = new LargeContents(read, partBytes, wholes);
  }

  async get(path: string, request: ContentRequest): Promise<ObjectBody> {
    const asked = askedOf(path, request);
    const { range, priority = 'demand', signal } = request;
    const bytes =
      range === undefined
        ? await this.#whole(asked, priority, signal)
        : await this.#part(asked, range, priority, signal);
    return {
      etag: request.ifMatch ?? '',
      size: asked.size,
      lastModified: request.lastModified ?? 0,
      versionId: undefined,
      body: once(bytes),
    };
  }

  /**
   * Announces entries that the caller will request by `get`, so that one request to the store fetches
   * contents that are close together in a pack. Returns the order in which the caller is to request the
   * entries, and `end`, which ends the plan.
   */
  plan(
    generation: Generation,
    wanted: Uint32Array,
  ): { readonly order: Uint32Array; readonly end: () => void } {
    const contents: (PackedContent & { readonly index: number })[] = [];
    const others: number[] = [];
    for (const index of wanted) {
      const place = generation.place(index);
      const size = generation.size(index);
      if (place === undefined || size > CHUNK_BYTES) others.push(index);
      else contents.push({ ...place, size, index });
    }
    contents.sort((one, other) =>
      one.pack < other.pack ? -1 : one.pack > other.pack ? 1 : one.offset - other.offset,
    );
    const order = Uint32Array.from([...contents.map(({ index }) => index), ...others]);
    return { order, end: this.#planned.plan(contents) };
  }

  async #whole(asked: Asked, priority: RequestPriority, signal: Stop): Promise<Uint8Array> {
    const { pack, offset, size, path, sha256 } = asked;
    const range = { start: offset, end: offset + size };
    const bytes = await this.#named(
      asked,
      async () =>
        (await this.#planned.take(asked, priority, signal)) ??
        (await this.#gather(pack, range, priority, signal)),
    );
    const found = hash('sha256', bytes, 'hex');
    if (found === sha256) return bytes;
    this.#planned.refuse(asked);
    throw corruptContent(pack, path, `their SHA-256 is ${found}`);
  }

  async #part(asked: Asked, range: ByteRange, priority: RequestPriority, signal: Stop): Promise<Uint8Array> {
    const { pack, offset } = asked;
    const inPack = { start: offset + range.start, end: offset + range.end };
    const fetch = (): Promise<Uint8Array> => this.#gather(pack, inPack, priority, signal);
    return this.#named(asked, () => this.#large.part(asked, range, fetch, signal));
  }

  async #named<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
    const { pack, path } = asked;
    try {
      return await work();
    } catch (error) {
      // The next attempt fetches the content alone, not in its planned segment.
      this.#planned.refuse(asked);
      if (error instanceof ShortPack) throw corruptContent(pack, path, error.message);
      throw contentError(error, pack, path);
    }
  }

  async #gather(
    pack: string,
    range: ByteRange,
    priority: RequestPriority,
    signal: Stop,
  ): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(range.end - range.start);
    let filled = 0;
    for await (const part of this.#stream(pack, range, priority, signal)) {
      bytes.set(part.subarray(0, bytes.length - filled), filled);
      filled += part.length;
    }
    if (filled !== bytes.length) throw new ShortPack(`${filled} of ${bytes.length} bytes came`);
    return bytes;
  }

  async *#stream(
    pack: string,
    range: ByteRange,
    priority: RequestPriority,
    signal: Stop,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { body } = await this.#store.get(releaseKeys.pack(pack), { range, priority, signal });
    yield* body;
  }
}

function askedOf(path: string, { place, size, ifMatch = '' }: ContentRequest): Asked {
  const sha256 = digestOf(ifMatch);
  if (place !== undefined && size !== undefined && sha256 !== undefined)
    return { ...place, path, size, sha256 };
  throw new StoreError('bad-request', `${path} is not content of a release`, 'Mount again.', false);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
