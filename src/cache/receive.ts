import { crc32 } from 'node:zlib';
import type { ContentVersion } from '../base/content-version.ts';
import { retryAtOnce } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { isMd5 } from '../store/etag.ts';
import type {
  GetOptions,
  ObjectBody,
  ObjectHead,
  RequestOptions,
  SmallObject,
  SmallObjectRequest,
} from '../store/object-store.ts';
import type { Stop } from '../store/stop.ts';
import { StoreError } from '../store/store-error.ts';
import type { ByteRange } from './chunks.ts';
import { labelOf, trailerOf } from './trailer.ts';

/** A request for a version. It has the place of the content if the content lies in a pack. */
export type ContentRequest = GetOptions & Pick<ContentVersion, 'place'>;

/** The source of content. */
export interface ContentStore {
  /** @throws {StoreError}, or another error with a stable code */
  get(path: string, request: ContentRequest): Promise<ObjectBody>;
  /** See ObjectStore. Absent, or undefined as its result: use get(). */
  readonly getSmall?:
    | ((path: string, request: SmallObjectRequest) => Promise<SmallObject | undefined> | undefined)
    | undefined;
}

/** A blob in memory. */
export interface ReceivedBlob {
  /**
   * Content and trailer, as they are written to the file. The parts are those that arrived, so that no copy
   * is needed.
   */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly fileBytes: number;
}

/**
 * Fetches one blob of exactly the listed version: checks the ETag and the length of the answer. Collects the
 * blob in memory, so that no byte is lost if the disk fails half-way. Rejects with StoreError.
 */
export function receive(...request: Parameters<typeof receiveOnce>): Promise<ReceivedBlob> {
  return retryAtOnce(
    () => receiveOnce(...request),
    RETRIES.damagedContent,
    // The store's client retries a small body itself. In a large body, which is streamed, an error shows only
    // at the end.
    (error) => error instanceof StoreError && error.code === 'corrupt' && error.retryable,
  );
}

/**
 * The largest object that is fetched the short way. Most DAG files are smaller, and the time that larger ones
 * take depends less on the cost of a request.
 */
const SMALL_BYTES = 64 * 1024;

/**
 * Fetches the blob of a small file, whose ETag may be the MD5 of its content, in the background: the short way
 * for most objects. It costs less than receive(), which counts when thousands are fetched by a process that has
 * just started (docs/architecture.md, "What an object costs"). Resolves to undefined if the
 * store did not give the ordinary answer, for whatever reason: then receive() decides.
 */
export async function receiveSmall(
  store: ContentStore,
  version: ContentVersion,
  signal: Stop,
): Promise<ReceivedBlob | undefined> {
  const { path, etag, size, place } = version;
  if (store.getSmall === undefined || place !== undefined) return undefined;
  if (size > SMALL_BYTES || !isMd5(etag)) return undefined;
  const object = await store.getSmall(path, { etag, size, signal });
  if (object === undefined) return undefined;
  const { bytes } = object;
  const trailer = trailerOf(labelOf(version, undefined), crc32(bytes));
  return { parts: [bytes, trailer], bytes: size, fileBytes: size + trailer.length };
}

async function receiveOnce(
  store: ContentStore,
  version: ContentVersion,
  chunk: number | undefined,
  range: ByteRange,
  request: RequestOptions,
): Promise<ReceivedBlob> {
  const { path, etag, size, lastModified, place } = version;
  const { signal, priority, deadlineMs } = request;
  const asked: ContentRequest = {
    signal,
    priority,
    deadlineMs,
    place,
    ifMatch: etag,
    size,
    lastModified,
    range: chunk === undefined ? undefined : range,
  };
  const answer = await store.get(path, asked);
  return gather(answer, version, chunk, range.end - range.start);
}

/**
 * Fetches the current content of a path, in one piece. `take` determines the version from the head of the
 * answer. If `take` returns undefined, the content is not read, and the result is undefined. Rejects with
 * StoreError.
 */
export async function receiveFound(
  store: ContentStore,
  path: string,
  take: (head: ObjectHead) => ContentVersion | undefined,
  request: RequestOptions,
): Promise<ReceivedBlob | undefined> {
  const answer = await store.get(path, request);
  const version = take(answer);
  if (version !== undefined) return gather(answer, version, undefined, version.size);
  // Leaving the body frees its connection, which an unread body would occupy.
  for await (const _ of answer.body) break;
  return undefined;
}

async function gather(
  answer: ObjectBody,
  version: ContentVersion,
  chunk: number | undefined,
  length: number,
): Promise<ReceivedBlob> {
  const { path, etag } = version;
  const parts: Uint8Array[] = [];
  let received = 0;
  let checksum = 0;
  // The checks are inside the loop, because an error that leaves the loop also closes the connection.
  for await (const part of answer.body) {
    if (answer.etag !== etag) throw changed(path, answer.etag, etag);
    received += part.length;
    if (received > length) throw corrupt(path, `more than the ${length} bytes asked for`);
    parts.push(part);
    checksum = crc32(part, checksum);
  }
  if (received < length) throw corrupt(path, `${received} of ${length} bytes`);
  const trailer = trailerOf(labelOf(version, chunk), checksum);
  parts.push(trailer);
  return { parts, bytes: length, fileBytes: length + trailer.length };
}

/** Returns a copy of the content in its own buffer, which may be transferred to another thread. */
export function contentOf({ parts, bytes }: ReceivedBlob): Uint8Array {
  const content = new Uint8Array(bytes);
  let filled = 0;
  for (const part of parts.slice(0, -1)) {
    content.set(part, filled);
    filled += part.length;
  }
  return content;
}

function changed(path: string, etag: string, asked: string): StoreError {
  const detail = `${path} came with ETag ${etag} where ${asked} was asked for`;
  return new StoreError('changed', detail, 'The next listing shows what the store has now.', false);
}

function corrupt(path: string, detail: string): StoreError {
  const hint = 'The next read fetches it again; if this repeats, look for a proxy that alters responses.';
  return new StoreError('corrupt', `${path}: ${detail}`, hint, true);
}
