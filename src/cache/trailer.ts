import { closeSync, constants, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { digestOf } from '../base/content-digest.ts';
import type { ContentVersion } from '../base/content-version.ts';
import { isSystemError } from '../base/system-error.ts';
import { blobKey } from './blob-path.ts';
import { blobRange } from './chunks.ts';

/*
 * A blob's file is: content | label (JSON: name, path, etag, size, chunk) | label bytes (u32) | CRC-32 (u32)
 * | magic. Numbers are little-endian. The checksum covers content and label. The magic names the version of
 * this format.
 *
 * CRC-32 guards against rot and torn writes, not against an adversary: a process that can write into the
 * private directory can also write the checksum. CRC-32 detects every flipped bit and every burst of up to 32
 * bits. Measured on Node 20, one core: 4 KiB in 1.9 us against 4.3 us for SHA-256, 8 MiB in 2.0 ms against
 * 5.5 ms.
 */
const MAGIC = Buffer.from('dagblob1', 'latin1');
const FOOTER_BYTES = 8 + MAGIC.length;
/**
 * The maximum number of bytes of a label. Path and ETag have at most 4,095 and 4,096 bytes in a tree, and
 * JSON writes some of these bytes as six (\\u0001). The rest is for names, numbers and punctuation.
 */
const MOST_LABEL_BYTES = 6 * (4095 + 4096) + 512;
/** The maximum number of bytes by which a blob's file exceeds its content. */
export const MOST_TRAILER_BYTES = MOST_LABEL_BYTES + FOOTER_BYTES;
/** The bytes at a blob's end that have its footer: all of the trailer except the label. */
export const SHORTEST_TRAILER_BYTES = FOOTER_BYTES;

/** What a blob's file says about its content. */
export interface BlobLabel {
  /** Empty for content that is identified by its SHA-256, because such content may have many paths. */
  readonly path: string;
  readonly etag: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Undefined: the blob is the whole file. */
  readonly chunk: number | undefined;
}

/**
 * Reads a blob's label without its content; undefined if the label is unreadable or has another length.
 * Synchronous; takes some 15 us.
 */
export function readBlobLabel(path: string, bytes: number, fileBytes: number): BlobLabel | undefined {
  const length = fileBytes - bytes - FOOTER_BYTES;
  if (length <= 0 || length > MOST_LABEL_BYTES) return undefined;
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const label = Buffer.alloc(length);
      if (readSync(fd, label, 0, length, bytes) !== length) return undefined;
      const { path, etag, size, chunk } = JSON.parse(label.toString()) as Record<string, unknown>;
      if (typeof path !== 'string' || typeof etag !== 'string' || typeof size !== 'number') return undefined;
      return { path, etag, size, chunk: typeof chunk === 'number' ? chunk : undefined };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isSystemError(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function labelOf({ name, path, etag, size }: ContentVersion, chunk: number | undefined): Buffer {
  const label = { name, path: digestOf(etag) === undefined ? path : '', etag, size, chunk: chunk ?? null };
  return Buffer.from(JSON.stringify(label));
}

/** Returns the trailer for a content whose CRC-32 is `checksum`. */
export function trailerOf(label: Uint8Array, checksum: number): Buffer {
  const trailer = Buffer.allocUnsafe(label.length + FOOTER_BYTES);
  trailer.set(label);
  trailer.writeUInt32LE(label.length, label.length);
  trailer.writeUInt32LE(crc32(label, checksum), label.length + 4);
  trailer.set(MAGIC, label.length + 8);
  return trailer;
}

/**
 * Returns the length of the content, read from the last bytes (`end`) of a blob's file; undefined if these
 * bytes are not a valid footer.
 */
export function contentBytes(end: Buffer, fileBytes: number): number | undefined {
  if (end.length < FOOTER_BYTES || !end.subarray(-MAGIC.length).equals(MAGIC)) return undefined;
  const label = end.readUInt32LE(end.length - FOOTER_BYTES);
  const bytes = fileBytes - FOOTER_BYTES - label;
  return label <= MOST_LABEL_BYTES && bytes > 0 ? bytes : undefined;
}

/**
 * Returns what is wrong with a blob's whole file, given its label and content length; undefined if nothing
 * is.
 */
export function flawOf(file: Buffer, bytes: number, label: Uint8Array): string | undefined {
  if (file.length !== bytes + label.length + FOOTER_BYTES) return 'size';
  if (contentBytes(file, file.length) !== bytes) return 'trailer';
  if (!file.subarray(bytes, bytes + label.length).equals(label)) return 'label';
  return checksumFlaw(file);
}

/** Returns what is wrong with a blob's whole file, if only its key is known; undefined if nothing is. */
export function flawUnderKey(file: Buffer, key: string): string | undefined {
  const bytes = contentBytes(file, file.length);
  if (bytes === undefined) return 'trailer';
  const flaw = checksumFlaw(file);
  if (flaw !== undefined) return flaw;
  const label = readLabel(file.subarray(bytes, file.length - FOOTER_BYTES));
  return label?.key === key && label.bytes === bytes ? undefined : 'label';
}

function checksumFlaw(file: Buffer): string | undefined {
  const footer = file.length - FOOTER_BYTES;
  return crc32(file.subarray(0, footer)) === file.readUInt32LE(footer + 4) ? undefined : 'checksum';
}

/**
 * Returns the key that a label gives, and the length of its content; undefined if dagmount did not write the
 * label.
 */
function readLabel(bytes: Buffer): { readonly key: string; readonly bytes: number } | undefined {
  try {
    const label = JSON.parse(bytes.toString()) as Omit<ContentVersion, 'etag'> & {
      readonly chunk: number | null;
    };
    const chunk = label.chunk ?? undefined;
    const range = blobRange(label.size, chunk);
    return { key: blobKey(label.name, chunk), bytes: range.end - range.start };
  } catch (error) {
    // The checksum is right, but labelOf() did not write this: not a label of dagmount's.
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return undefined;
    throw error;
  }
}
