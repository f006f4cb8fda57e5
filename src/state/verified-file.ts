import { readFileSync, rmSync } from 'node:fs';
import { ownPackage } from '../base/own-package.ts';
import { replaceFile } from '../base/replace-file.ts';
import { isSystemError } from '../base/system-error.ts';
import { isFingerprintAt } from '../cache/verification.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';

/**
 * The fingerprints of verified blobs (cache/verification.ts), so that a successor need not verify each blob again
 * before it answers:
 *
 *        0   8  "DAGMVER" and a NUL
 *        8   8  the number of the generation, a double
 *       16  36  the id of the boot of the host, as text
 *       52  28  the version of dagmount that verified, as text, filled up with NULs or cut
 *       80   8  for each entry of the tree: its fingerprint, or ABSENT; in the byte order of the host
 *
 * A fingerprint of another entry, or an old one, is harmless, because it is compared with the blob's file before each
 * use. But after a crash of the host, a file can have a fingerprint without the content that was verified, so the file
 * is valid for one boot only. Another version may verify more.
 */
const MAGIC = 'DAGMVER\0';
const NUMBER_AT = 8;
const BOOT_ID_AT = 16;
const BOOT_ID_BYTES = 36;
const VERSION_AT = 52;
export const VERIFIED_HEAD_BYTES = 80;
const ENTRY_BYTES = 8;
/** More entries than this are not stored: that file would take more than a MiB of a tmpfs. */
export const MOST_ENTRIES = 2 ** 17;

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/**
 * Replaces the file with the fingerprints of a generation's entries. They may be in memory that is shared with another
 * thread. Writes to the file `beside` first. Throws the system's error. If there are too many entries, or if the boot
 * has no id, removes the file.
 */
export function writeVerified(
  path: string,
  beside: string,
  number: number,
  fingerprints: BigUint64Array,
): void {
  const head = headOf(number);
  if (head === undefined || fingerprints.length > MOST_ENTRIES) {
    rmSync(path, { force: true });
    return;
  }
  // As words, for isFingerprintAt().
  const words = new Uint32Array(fingerprints.length * 2);
  words.set(new Uint32Array(fingerprints.buffer, fingerprints.byteOffset, words.length));
  // A fetch ends with this server, so what is arriving is absent for a successor.
  for (let index = 0; index < fingerprints.length; index++) {
    if (!isFingerprintAt(words, index)) words.fill(0, 2 * index, 2 * index + 2);
  }
  replaceFile(path, Buffer.concat([head, new Uint8Array(words.buffer)]), beside);
}

/**
 * Fills `fingerprints`, one for each entry of the generation with that number, from the file. Leaves them as they are if
 * the file is missing or malformed, or of another generation, boot or version.
 */
export function readVerified(path: string, number: number, fingerprints: BigUint64Array): void {
  const bytes = fingerprints.length * ENTRY_BYTES;
  const head = headOf(number);
  if (head === undefined) return;
  const file = readFile(path, VERIFIED_HEAD_BYTES + bytes);
  if (file?.length !== VERIFIED_HEAD_BYTES + bytes || !file.subarray(0, VERIFIED_HEAD_BYTES).equals(head))
    return;
  new Uint8Array(fingerprints.buffer, fingerprints.byteOffset, bytes).set(file.subarray(VERIFIED_HEAD_BYTES));
}

function readFile(path: string, mostBytes: number): Buffer | undefined {
  try {
    return readOwnFile(path, mostBytes);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Undefined if the boot has no id. */
function headOf(number: number): Buffer | undefined {
  bootId ??= readBootId();
  if (bootId === '') return undefined;
  const head = Buffer.alloc(VERIFIED_HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeDoubleLE(number, NUMBER_AT);
  head.write(bootId, BOOT_ID_AT, BOOT_ID_BYTES, 'latin1');
  head.write(ownPackage().version, VERSION_AT, VERIFIED_HEAD_BYTES - VERSION_AT, 'latin1');
  return head;
}

let bootId: string | undefined;

function readBootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, 'latin1').trim();
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}
