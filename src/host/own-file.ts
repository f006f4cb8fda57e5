import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { HostError, tooLarge } from './host-error.ts';
import { hostErrorOf, READ_FLAGS } from './pinned.ts';

/**
 * Whether a file belongs to this process's user. Of the files of earlier processes, only such files are used.
 */
export function isOwn({ uid }: { readonly uid: number | bigint }): boolean {
  const own = process.geteuid?.();
  return own === undefined || Number(uid) === own;
}

/** Reads a regular file of this process's user. Throws HostError; `missing` if the file does not exist. */
export function readOwnFile(path: string, mostBytes: number): Buffer {
  return readChecked(path, READ_FLAGS, mostBytes, (stats) => {
    if (!isOwn(stats)) throw otherOwner(path, stats);
  });
}

const WRITABLE_BY_OTHERS = 0o022;
/** As READ_FLAGS, but follows links: Kubernetes updates a mounted file by replacing a link. */
const FOLLOWING_FLAGS = READ_FLAGS & ~constants.O_NOFOLLOW;

/**
 * Reads a file that defines trust. It must belong to root or to this process's user, and no other user may
 * write to it. Throws HostError.
 */
export function readTrustedFile(path: string, mostBytes: number): Buffer {
  return readChecked(path, FOLLOWING_FLAGS, mostBytes, (stats) => {
    if (!isOwnOrRoots(stats)) throw otherOwner(path, stats);
    if ((stats.mode & WRITABLE_BY_OTHERS) !== 0)
      throw new HostError('open-to-others', path, 'can be written by others than its owner');
  });
}

/**
 * Reads a file that belongs to root or to this process's user; a link to the file must, too. The group of the
 * owner may write to the file, as into a checkout under umask 002. Throws HostError.
 */
export function readOwnOrRootsFile(path: string, mostBytes: number): Buffer {
  return readChecked(path, FOLLOWING_FLAGS, mostBytes, (stats) => {
    for (const each of [lstatSync(path), stats]) if (!isOwnOrRoots(each)) throw otherOwner(path, each);
  });
}

function isOwnOrRoots(stats: Stats): boolean {
  return stats.uid === 0 || isOwn(stats);
}

function otherOwner(path: string, { uid }: Stats): HostError {
  return new HostError('other-owner', path, `belongs to another user (uid ${uid})`);
}

function readChecked(path: string, flags: number, mostBytes: number, check: (stats: Stats) => void): Buffer {
  try {
    const fd = openSync(path, flags);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new HostError('no-file', path, 'is not a regular file');
      check(stats);
      if (stats.size > mostBytes) throw tooLarge(path, mostBytes);
      const bytes = readFileSync(fd);
      // The file may have grown since the check.
      if (bytes.length > mostBytes) throw tooLarge(path, mostBytes);
      return bytes;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}
