import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { HostError, tooLarge } from './host-error.ts';
import { hostErrorOf, READ_FLAGS } from './pinned.ts';

/** Whether a file belongs to this process's user: no other file of an earlier process is used. */
export function isOwn({ uid }: { readonly uid: number | bigint }): boolean {
  const own = process.geteuid?.();
  return own === undefined || Number(uid) === own;
}

/** The content of a regular file of this process's user. Throws HostError, `missing` if it does not exist. */
export function readOwnFile(path: string, mostBytes: number): Buffer {
  try {
    const fd = openSync(path, READ_FLAGS);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new HostError('no-file', path, 'is not a regular file');
      if (!isOwn(stats))
        throw new HostError('other-owner', path, `belongs to another user (uid ${stats.uid})`);
      if (stats.size > mostBytes) throw tooLarge(path, mostBytes);
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}

const WRITABLE_BY_OTHERS = 0o022;
/** As READ_FLAGS, but follows links: Kubernetes updates a mounted file by replacing a link. */
const FOLLOWING_FLAGS = READ_FLAGS & ~constants.O_NOFOLLOW;

/**
 * The content of a file that defines trust: it must belong to root or this process's user, and no other user may
 * write to it. Throws HostError.
 */
export function readTrustedFile(path: string, mostBytes: number): Buffer {
  try {
    const fd = openSync(path, FOLLOWING_FLAGS);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new HostError('no-file', path, 'is not a regular file');
      if (stats.uid !== 0 && !isOwn(stats))
        throw new HostError('other-owner', path, `belongs to another user (uid ${stats.uid})`);
      if ((stats.mode & WRITABLE_BY_OTHERS) !== 0)
        throw new HostError('open-to-others', path, 'can be written by others than its owner');
      if (stats.size > mostBytes) throw tooLarge(path, mostBytes);
      const bytes = readFileSync(fd);
      // It may have grown since the check.
      if (bytes.length > mostBytes) throw tooLarge(path, mostBytes);
      return bytes;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}
