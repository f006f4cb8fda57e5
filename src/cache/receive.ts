import { crc32 } from 'node:zlib';
import type { ObjectStore, RequestOptions } from '../store/object-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { ByteRange } from './chunks.ts';
import type { ContentVersion } from './content-version.ts';
import { labelOf, seal, trailerBytes } from './trailer.ts';

export type ContentStore = Pick<ObjectStore, 'get'>;

/** A blob in memory, as it goes to its file. */
export interface ReceivedBlob {
  readonly content: Uint8Array;
  /** Content and trailer. */
  readonly file: Uint8Array;
}

/**
 * Fetches one blob of a version, and of that version alone: by If-Match, by the ETag of the answer where a store
 * ignores If-Match, and by its length. Whole in memory, so that a disk that fails half-way loses no byte. Rejects
 * with StoreError.
 */
export async function receive(
  store: ContentStore,
  version: ContentVersion,
  chunk: number | undefined,
  range: ByteRange,
  request: RequestOptions,
): Promise<ReceivedBlob> {
  const { path, etag } = version;
  const answer = await store.get(path, { ...request, ifMatch: etag, ...(chunk !== undefined && { range }) });
  const length = range.end - range.start;
  const label = labelOf(version, chunk);
  // Not from Node's pool of small buffers: a transfer of the content to another thread would detach it.
  const file = Buffer.allocUnsafeSlow(length + trailerBytes(label));
  let filled = 0;
  let checksum = 0;
  // Judged in here: leaving the loop by an error also gives the connection up.
  for await (const part of answer.body) {
    if (answer.etag !== etag) throw changed(path, answer.etag, etag);
    if (filled + part.length > length) throw corrupt(path, `more than the ${length} bytes asked for`);
    file.set(part, filled);
    filled += part.length;
    checksum = crc32(part, checksum);
  }
  if (filled < length) throw corrupt(path, `${filled} of ${length} bytes`);
  seal(file, length, label, checksum);
  return { file, content: file.subarray(0, length) };
}

function changed(path: string, etag: string, asked: string): StoreError {
  const detail = `${path} came with ETag ${etag} where ${asked} was asked for`;
  return new StoreError('changed', detail, 'The next listing shows what the store has now.', false);
}

function corrupt(path: string, detail: string): StoreError {
  const mend =
    'It is fetched again when it is next read; if this goes on, look for a proxy that alters responses.';
  return new StoreError('corrupt', `${path}: ${detail}`, mend, true);
}
