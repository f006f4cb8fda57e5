import { crc32 } from 'node:zlib';
import { retryAtOnce } from '../base/retry.ts';
import { RETRIES } from '../base/retry-policies.ts';
import type { GetOptions, ObjectBody, ObjectHead, RequestOptions } from '../store/object-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { ByteRange } from './chunks.ts';
import type { ContentVersion } from './content-version.ts';
import { labelOf, trailerOf } from './trailer.ts';

/** What is asked for of a version: where it lies, if it is one of many in an object. */
export type ContentRequest = GetOptions & Pick<ContentVersion, 'place'>;

/** Where content comes from. */
export interface ContentStore {
  /** @throws {StoreError}, or another error with a stable code */
  get(path: string, request: ContentRequest): Promise<ObjectBody>;
}

/** A blob in memory. */
export interface ReceivedBlob {
  /** Content and trailer, as they go to the file: in the parts in which they came, which nobody had to copy. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly fileBytes: number;
}

/**
 * Fetches one blob of a version, and of that version alone: as it was listed, by the ETag of the answer, and by its
 * length. Whole in memory, so that a disk that fails half-way loses no byte. Rejects
 * with StoreError.
 */
export function receive(...request: Parameters<typeof receiveOnce>): Promise<ReceivedBlob> {
  return retryAtOnce(
    () => receiveOnce(...request),
    RETRIES.damagedContent,
    // The store mends what it can of small bodies; of one that streams the flaw shows only at its end.
    (error) => error instanceof StoreError && error.code === 'corrupt' && error.retryable,
  );
}

async function receiveOnce(
  store: ContentStore,
  version: ContentVersion,
  chunk: number | undefined,
  range: ByteRange,
  request: RequestOptions,
): Promise<ReceivedBlob> {
  const { path, etag, size, lastModified, place } = version;
  const answer = await store.get(path, {
    ...request,
    ...(place !== undefined && { place }),
    ifMatch: etag,
    size,
    lastModified,
    ...(chunk !== undefined && { range }),
  });
  return gather(answer, version, chunk, range.end - range.start);
}

/**
 * Fetches what is under a path now, in one piece. `take` says by the head of the answer which version that is;
 * where it says nothing, the content is left unread and the result is undefined. Rejects with StoreError.
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
  // A body that nobody began to read keeps its connection.
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
  // Judged in here: leaving the loop by an error also gives the connection up.
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

/** A copy of the content, in memory of its own: it may be transferred to another thread. */
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
  const hint =
    'It is fetched again when it is next read; if this goes on, look for a proxy that alters responses.';
  return new StoreError('corrupt', `${path}: ${detail}`, hint, true);
}
