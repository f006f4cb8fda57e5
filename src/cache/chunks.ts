/**
 * The maximum number of bytes of content in a blob. A larger file is cached as aligned chunks of this size;
 * the last one may be shorter.
 */
export const CHUNK_BYTES = 8 * 1024 * 1024;

/** Bytes of a file: `start` inclusive, `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Returns the number of chunks of a file of `size` bytes; undefined if one blob has the whole file. */
export function chunkCount(size: number): number | undefined {
  return size > CHUNK_BYTES ? Math.ceil(size / CHUNK_BYTES) : undefined;
}

/** Returns which bytes of a file a blob holds. Throws a RangeError if the file has no such blob. */
export function blobRange(size: number, chunk: number | undefined): ByteRange {
  const chunks = chunkCount(size);
  if (chunks === undefined) {
    if (chunk !== undefined) throw new RangeError(`a file of ${size} bytes is not cached in chunks`);
    return { start: 0, end: size };
  }
  if (chunk === undefined || !Number.isInteger(chunk) || chunk < 0 || chunk >= chunks) {
    throw new RangeError(`a file of ${size} bytes has the chunks 0 to ${chunks - 1}, not ${chunk}`);
  }
  return { start: chunk * CHUNK_BYTES, end: Math.min(size, (chunk + 1) * CHUNK_BYTES) };
}
