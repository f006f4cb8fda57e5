import { crc32 } from 'node:zlib';
import type { ByteRange } from './chunks.ts';
import { ContentError, type ContentSource, type ContentVersion } from './content-source.ts';
import { labelOf, seal, trailerBytes } from './trailer.ts';

/** A blob in memory, as it goes to its file. */
export interface ReceivedBlob {
  readonly content: Uint8Array;
  /** Content and trailer. */
  readonly file: Uint8Array;
}

/**
 * Fetches one blob of a version, and of that version alone: by If-Match, by the ETag of the answer where a store
 * ignores If-Match, and by its length. Whole in memory, so that a disk that fails half-way loses no byte.
 */
export async function receive(
  source: ContentSource,
  version: ContentVersion,
  chunk: number | undefined,
  range: ByteRange,
  signal: AbortSignal,
): Promise<ReceivedBlob> {
  const { path, etag } = version;
  const answer = await source.get(path, { ifMatch: etag, signal, ...(chunk !== undefined && { range }) });
  if (answer.etag !== etag) throw new ContentError('changed', path, `ETag ${answer.etag} instead of ${etag}`);
  const length = range.end - range.start;
  const label = labelOf(version, chunk);
  // Not from Node's pool of small buffers: a transfer of the content to another thread would detach it.
  const file = Buffer.allocUnsafeSlow(length + trailerBytes(label));
  let filled = 0;
  let checksum = 0;
  for await (const part of answer.body) {
    if (filled + part.length > length) throw new ContentError('corrupt', path, `more than ${length} bytes`);
    file.set(part, filled);
    filled += part.length;
    checksum = crc32(part, checksum);
  }
  if (filled < length) throw new ContentError('corrupt', path, `${filled} of ${length} bytes`);
  seal(file, length, label, checksum);
  return { file, content: file.subarray(0, length) };
}
