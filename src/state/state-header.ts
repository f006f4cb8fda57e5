import { createHash } from 'node:crypto';
import type { Instant } from '../sync/instant.ts';
import { StateError } from './state-error.ts';

/**
 * The head of a state file, all numbers little-endian:
 *
 *       0   8  "DAGMSTA" and a NUL
 *       8   8  format
 *      16  16  mount id, filled up with NULs
 *      32   8  bytes after the head: the body
 *      40  32  SHA-256 over bytes 0 to 39 and the body
 *     256   8  "IN FORCE", once the state is in force
 *     264   8  seconds of the publication's instant since the epoch
 *     272   8  nanoseconds
 *     280  32  SHA-256 over bytes 0 to 279
 *
 * The commit record, from byte 256 on, is written when everything else is in the file. It lies in one sector,
 * so a crash leaves either the whole record or nothing of it.
 */
export const COMMIT_AT = 256;
export const COMMIT_BYTES = 56;
export const HEAD_BYTES = COMMIT_AT + COMMIT_BYTES;
/** Increases with every change of the head, of the body's sections, or of their content. */
export const STATE_FORMAT = 2;
/**
 * The oldest format that is read. It must be lower than STATE_FORMAT, so that an upgrade can resume the mount
 * of the previous version of dagmount. test/state/recorded has a file of each format from this one on.
 */
export const OLDEST_STATE_FORMAT = 1;

const MAGIC = Buffer.from('DAGMSTA\0', 'latin1');
const COMMITTED = Buffer.from('IN FORCE', 'latin1');
const FORMAT_AT = 8;
const MOUNT_ID_AT = 16;
const MOUNT_ID_BYTES = 16;
const LENGTH_AT = 32;
const CHECKSUM_AT = 40;
const SEALED_BYTES = 72;
const SECONDS_AT = COMMIT_AT + 8;
const NANOSECONDS_AT = COMMIT_AT + 16;
const COMMIT_CHECKSUM_AT = COMMIT_AT + 24;

/** Returns the head of a body of `bodyBytes`, without the checksum and the commit record. */
export function newHead(mountId: string, bodyBytes: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.set(MAGIC);
  head.writeUInt32LE(STATE_FORMAT, FORMAT_AT);
  head.write(mountId, MOUNT_ID_AT, MOUNT_ID_BYTES, 'latin1');
  head.writeBigUInt64LE(BigInt(bodyBytes), LENGTH_AT);
  return head;
}

/** Returns the part of the head that the checksum of head and body covers. */
export function checkedHead(head: Buffer): Buffer {
  return head.subarray(0, CHECKSUM_AT);
}

/** Writes the checksum of head and body into the head. */
export function sealHead(head: Buffer, checksum: Uint8Array): void {
  head.set(checksum, CHECKSUM_AT);
}

/**
 * Writes the commit record with the instant into the head. Returns the record, to be written at COMMIT_AT.
 */
export function commitHead(head: Buffer, { seconds, nanoseconds }: Instant): Buffer {
  head.set(COMMITTED, COMMIT_AT);
  head.writeBigUInt64LE(BigInt(seconds), SECONDS_AT);
  head.writeUInt32LE(nanoseconds, NANOSECONDS_AT);
  head.set(commitChecksum(head), COMMIT_CHECKSUM_AT);
  return head.subarray(COMMIT_AT, COMMIT_AT + COMMIT_BYTES);
}

export interface ReadHead {
  readonly bodyBytes: number;
  readonly checksum: Buffer;
  /** The part of the head that `checksum` covers, together with the body. */
  readonly checked: Buffer;
  readonly instant: Instant;
}

/**
 * Parses the head of a file that has `fileBytes` bytes. Throws StateError unless it is the head of a
 * committed state of this mount. Reports an older or newer format before it checks anything that depends on
 * the format.
 */
export function readHead(bytes: Buffer, fileBytes: number, mountId: string): ReadHead {
  if (!MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, MAGIC.length))) {
    throw new StateError('not-a-state', 'it does not begin as a state does');
  }
  if (bytes.length < HEAD_BYTES) throw new StateError('truncated', `it ends after ${fileBytes} bytes`);
  const format = bytes.readUInt32LE(FORMAT_AT);
  if (format < OLDEST_STATE_FORMAT || format > STATE_FORMAT) {
    const code = format < STATE_FORMAT ? 'older-format' : 'newer-format';
    const range = OLDEST_STATE_FORMAT < STATE_FORMAT ? `${OLDEST_STATE_FORMAT} to ` : '';
    throw new StateError(code, `it has format ${format}, and this dagmount reads ${range}${STATE_FORMAT}`);
  }
  const owner = bytes.toString('latin1', MOUNT_ID_AT, MOUNT_ID_AT + MOUNT_ID_BYTES).replace(/\0+$/, '');
  if (owner !== mountId) throw new StateError('foreign', `it belongs to the mount ${JSON.stringify(owner)}`);
  const length = bytes.readBigUInt64LE(LENGTH_AT);
  if (length !== BigInt(fileBytes - HEAD_BYTES)) {
    const has = fileBytes - HEAD_BYTES;
    throw new StateError('truncated', `it has ${has} bytes of content, and should have ${length}`);
  }
  return {
    bodyBytes: Number(length),
    checksum: bytes.subarray(CHECKSUM_AT, SEALED_BYTES),
    checked: bytes.subarray(0, CHECKSUM_AT),
    instant: readInstant(bytes),
  };
}

function readInstant(head: Buffer): Instant {
  if (head.subarray(COMMIT_AT, HEAD_BYTES).every((byte) => byte === 0)) {
    throw new StateError('uncommitted', 'it was never made the state in force');
  }
  const checksum = head.subarray(COMMIT_CHECKSUM_AT, COMMIT_AT + COMMIT_BYTES);
  if (!COMMITTED.equals(head.subarray(COMMIT_AT, SECONDS_AT)) || !checksum.equals(commitChecksum(head))) {
    throw new StateError('checksum', 'the record of its instant is not what was written');
  }
  return {
    seconds: Number(head.readBigUInt64LE(SECONDS_AT)),
    nanoseconds: head.readUInt32LE(NANOSECONDS_AT),
  };
}

function commitChecksum(head: Buffer): Buffer {
  return createHash('sha256').update(head.subarray(0, COMMIT_CHECKSUM_AT)).digest();
}
