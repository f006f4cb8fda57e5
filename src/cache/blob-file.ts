import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writevSync,
} from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { CHUNK_BYTES } from './chunks.ts';
import { MOST_TRAILER_BYTES } from './trailer.ts';
import { fingerprintOf, isFingerprint, isUnchanged } from './verification.ts';

/** The prefix of the names of temporary files. No blob's file has a name with this prefix. */
export const TEMPORARY_PREFIX = 'tmp-';

const FILE_MODE = 0o600;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/**
 * Flags for reading a blob's file: open(2) fails on a symlink, and does not block on a FIFO in the blob's
 * place.
 */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/**
 * Files up to this size are written and read synchronously, because that takes less CPU. A 4 KiB blob on
 * ext4: 72 us by synchronous calls (create 28, write 15, close 3, rename 20, lstat 6), and 155 to 200 us
 * through fs.promises; reading a 4 KiB blob takes 12 us. An 8 MiB blob would block the event loop for 30 to
 * 45 ms, so larger files go through the thread pool. (Creating files right after 100,000 others were removed
 * was seen to take 350 to 600 us a file, because ext4 searches past the inodes that were freed in the last
 * minutes.)
 */
export const SYNC_BYTES = 128 * 1024;
const LARGEST_FILE = CHUNK_BYTES + MOST_TRAILER_BYTES;
const readFile = promisify(read);
/** The maximum number of parts in one call. writev(2) accepts no more than 1,024. */
const MOST_VECTORS = 512;
/**
 * Errors that say nothing about the file, because the process or the system lacks file descriptors or memory.
 */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** The content of a blob's file. */
export interface BlobParts {
  readonly parts: readonly Uint8Array[];
  /** Bytes of all parts. */
  readonly fileBytes: number;
}

/**
 * Writes a blob to the file `temporary` and renames that file to `path`. Returns the fingerprint of the
 * blob's file. Calls no fsync, because the checksum detects a torn blob when the blob is first used after a
 * restart. Rejects with the system's error; the file `temporary` may then remain.
 */
export async function writeBlob(temporary: string, path: string, blob: BlobParts): Promise<bigint> {
  if (blob.fileBytes <= SYNC_BYTES) return writeSmallBlob(temporary, path, blob);
  const handle = await open(temporary, CREATE, FILE_MODE);
  try {
    for (let rest = blob.parts; rest.length > 0; ) {
      const { bytesWritten } = await handle.writev(rest.slice(0, MOST_VECTORS));
      rest = after(rest, bytesWritten);
    }
  } finally {
    await handle.close();
  }
  // crash point: the temporary file is written, but not renamed. The next start removes it.
  await rename(temporary, path);
  return fingerprintOf(await lstat(path, { bigint: true }));
}

/** writeBlob() for a blob of up to SYNC_BYTES. Throws the system's error. */
export function writeSmallBlob(temporary: string, path: string, { parts }: BlobParts): bigint {
  const fd = openSync(temporary, CREATE, FILE_MODE);
  try {
    for (let rest = parts; rest.length > 0; ) {
      rest = after(rest, writevSync(fd, rest.slice(0, MOST_VECTORS)));
    }
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  return fingerprintOf(lstatSync(path, { bigint: true }));
}

/** Returns the parts without their first `bytes` bytes. */
function after(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [i, part] of parts.entries()) {
    if (skipped + part.length > bytes) return [part.subarray(bytes - skipped), ...parts.slice(i + 1)];
    skipped += part.length;
  }
  return [];
}

export type Checked =
  | { readonly kind: 'good'; readonly fingerprint: bigint }
  | { readonly kind: 'bad'; readonly flaw: string }
  /** The file could not be checked, because the process lacks file descriptors or memory. */
  | { readonly kind: 'unknown'; readonly code: string };

/** Reads a blob's whole file and checks it with `flawOf`, which returns undefined for a good file. */
export async function checkBlob(
  path: string,
  flawOf: (file: Buffer) => string | undefined,
): Promise<Checked> {
  try {
    const fd = openSync(path, READ);
    try {
      const before = fstatSync(fd, { bigint: true });
      if (!before.isFile()) return { kind: 'bad', flaw: 'not a file' };
      if (!isOwn(before)) return { kind: 'bad', flaw: 'of another user' };
      if (before.size > LARGEST_FILE) return { kind: 'bad', flaw: 'size' };
      const file = await readWhole(fd, Number(before.size));
      const flaw = file === undefined ? 'size' : flawOf(file);
      if (flaw !== undefined) return { kind: 'bad', flaw };
      const fingerprint = fingerprintOf(before);
      const isStill = isUnchanged(fingerprint, fstatSync(fd, { bigint: true }));
      return isStill ? { kind: 'good', fingerprint } : { kind: 'bad', flaw: 'written to' };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const { code } = error;
    return SHORTAGES.has(code) ? { kind: 'unknown', code } : { kind: 'bad', flaw: code };
  }
}

async function readWhole(fd: number, size: number): Promise<Buffer | undefined> {
  const file = Buffer.allocUnsafeSlow(size);
  if (size <= SYNC_BYTES) return readSync(fd, file, 0, size, 0) === size ? file : undefined;
  for (let filled = 0; filled < size; ) {
    const { bytesRead } = await readFile(fd, file, filled, size - filled, filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return file;
}

/** Whether the file at `path` still has this fingerprint. */
export function isFileUnchanged(path: string, fingerprint: bigint): boolean {
  if (!isFingerprint(fingerprint)) return false;
  try {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stats !== undefined && isUnchanged(fingerprint, stats);
  } catch (error) {
    // If this returns false, the caller checks the whole content, and that check reports the cause.
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Removes a blob's file. Returns undefined if no file is left; otherwise the errno's name. */
export function unlinkBlob(path: string): string | undefined {
  try {
    unlinkSync(path);
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    return error.code === 'EISDIR' || error.code === 'EPERM' ? removeTree(path) : error.code;
  }
}

function removeTree(path: string): string | undefined {
  try {
    rmSync(path, { recursive: true, force: true });
    return undefined;
  } catch (error) {
    if (isSystemError(error)) return error.code;
    throw error;
  }
}

/**
 * Removes any entry in a blob's place, including a directory with its content. Does not follow links. Returns
 * the errno's name if the removal fails.
 */
export async function clearPlace(path: string): Promise<string | undefined> {
  try {
    await rm(path, { recursive: true, force: true });
    return undefined;
  } catch (error) {
    if (isSystemError(error)) return error.code;
    throw error;
  }
}
