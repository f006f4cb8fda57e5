import { createHash } from 'node:crypto';
import { checkGeneration } from './check.ts';
import { Generation } from './generation.ts';
import { FORMAT_VERSION } from './layout.ts';
import type { NameHash } from './name-hash.ts';
import { TreeError } from './tree-error.ts';

/** "DAGMGEN" and a NUL. */
const FILE_MAGIC = Buffer.from('DAGMGEN\0', 'latin1');
/** Magic, format (32 bits), 0 (32 bits), length of the content (64 bits), all little-endian, then SHA-256. */
const FORMAT_AT = 8;
const LENGTH_AT = 16;
const CHECKSUM_AT = 24;
const CONTENT_AT = 56;

/**
 * The generation as bytes for a file: a header with the format and a SHA-256 of everything else, then its
 * buffer as it is.
 */
export function encodeGeneration(generation: Generation): Uint8Array {
  const content = new Uint8Array(generation.buffer);
  const bytes = Buffer.alloc(CONTENT_AT + content.length);
  bytes.set(FILE_MAGIC);
  bytes.writeUInt32LE(FORMAT_VERSION, FORMAT_AT);
  bytes.writeBigUInt64LE(BigInt(content.length), LENGTH_AT);
  bytes.set(content, CONTENT_AT);
  bytes.set(checksum(bytes), CHECKSUM_AT);
  return bytes;
}

/**
 * The generation that was encoded, or TreeError: `not-a-generation`, `unsupported-format`, `truncated`,
 * `checksum`, or `damaged` where the content contradicts itself although its checksum is right.
 */
export function decodeGeneration(encoded: Uint8Array, hash?: NameHash): Generation {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (!FILE_MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, FILE_MAGIC.length))) {
    throw new TreeError('not-a-generation', 'the file does not begin as a generation does');
  }
  if (bytes.length < CONTENT_AT) throw new TreeError('truncated', 'the header is cut off');
  const format = bytes.readUInt32LE(FORMAT_AT);
  if (format !== FORMAT_VERSION) {
    throw new TreeError('unsupported-format', `format ${format}, not ${FORMAT_VERSION}`);
  }
  const length = bytes.readBigUInt64LE(LENGTH_AT);
  if (length !== BigInt(bytes.length - CONTENT_AT)) {
    throw new TreeError('truncated', `${bytes.length - CONTENT_AT} bytes of content instead of ${length}`);
  }
  if (!checksum(bytes).equals(bytes.subarray(CHECKSUM_AT, CONTENT_AT))) {
    throw new TreeError('checksum', 'the content is not what was written');
  }
  const buffer = new SharedArrayBuffer(bytes.length - CONTENT_AT);
  new Uint8Array(buffer).set(bytes.subarray(CONTENT_AT));
  const generation = Generation.view(buffer, hash);
  checkGeneration(generation);
  return generation;
}

/** Over the header up to the checksum, and the content. */
function checksum(bytes: Buffer): Buffer {
  return createHash('sha256')
    .update(bytes.subarray(0, CHECKSUM_AT))
    .update(bytes.subarray(CONTENT_AT))
    .digest();
}
