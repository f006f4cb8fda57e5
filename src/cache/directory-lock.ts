import { closeSync, fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { CacheError } from './cache-error.ts';

export interface DirectoryLock {
  release(): void;
}

/** Locks by the file at `path`, made if need be. Throws CacheError `cache-in-use` where another process has it. */
export type LockDirectory = (path: string) => DirectoryLock;

/**
 * The addon's call: opens or creates the file (0600, close-on-exec) and takes flock(2) LOCK_EX | LOCK_NB.
 * Returns the descriptor, or the negative errno.
 */
export type LockFile = (path: string) => number;

/** EAGAIN, which is EWOULDBLOCK; 35 on macOS. */
const HELD: ReadonlySet<number> = new Set([-11, -35]);

/**
 * The lock against a second daemon: flock(2), through the addon, since Node has none.
 *
 * The kernel releases it when its last descriptor is closed, so also at SIGKILL: there is no stale lock to judge. It
 * belongs to the file, so that it holds between containers that share the directory as a volume, where the pid in
 * a lock file means another process or none, and an abstract socket lies in another network namespace. A descriptor
 * can be handed to a child, so that a supervisor may hold it over its servers. The file is never removed: a lock on
 * a file that has no name any more excludes nobody.
 */
export function flockWith(lockFile: LockFile): LockDirectory {
  return (path) => {
    const fd = lockFile(path);
    if (fd >= 0) {
      if (!isOwn(fstatSync(fd))) {
        closeSync(fd);
        throw new CacheError(
          'cache-unsafe',
          `The lock of the cache directory, ${path}, belongs to another user.`,
          'Remove it if no dagmount uses that directory, or name another place with --cache-dir.',
        );
      }
      note(fd);
      return { release: () => closeSync(fd) };
    }
    if (HELD.has(fd)) {
      throw new CacheError(
        'cache-in-use',
        `Another dagmount uses this cache directory: ${path} is locked${holder(path)}.`,
        'Unmount that one first, or name another place with --cache-dir.',
      );
    }
    throw new CacheError(
      'cache-unwritable',
      `The cache directory cannot be locked: ${path}, errno ${-fd}.`,
      'Make the directory writable for this user, or name another one with --cache-dir.',
    );
  };
}

/** Writes down who holds the lock, for the message alone. */
function note(fd: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
  } catch (error) {
    // A full disk: the lock holds without a note.
    if (!isSystemError(error)) throw error;
  }
}

function holder(path: string): string {
  try {
    const pid = readFileSync(path, 'latin1').trim();
    return /^[0-9]+$/.test(pid) ? ` by process ${pid}` : '';
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}
