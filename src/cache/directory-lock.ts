import { closeSync, fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { persistedFiles } from '../base/persisted-files.ts';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { CacheError } from './cache-error.ts';

/** The file by which a mount's directory is locked. */
export function lockPath(directory: string): string {
  return `${directory}/${persistedFiles.lock.name}`;
}

export interface DirectoryLock {
  release(): void;
}

/**
 * Locks by the file at `path`, which it creates if missing. Throws CacheError `cache-in-use` if another process has
 * it.
 */
export type LockDirectory = (path: string) => DirectoryLock;

/**
 * The addon's call: opens or creates the file (0600, close-on-exec) and takes flock(2) LOCK_EX | LOCK_NB.
 * Returns the descriptor, or the negative errno.
 */
export type LockFile = (path: string) => number;

/** EAGAIN, which is EWOULDBLOCK; 35 on macOS. */
const HELD: ReadonlySet<number> = new Set([-11, -35]);

/**
 * The lock against a second daemon: flock(2), through the addon, because Node.js has none.
 *
 * The kernel releases it when its last descriptor is closed, also after SIGKILL: there is no stale lock to detect.
 * The lock belongs to the file, so it works between containers that share the directory as a volume. There a pid in a
 * lock file would mean another process or none, and an abstract socket would lie in another network namespace. The
 * descriptor can be passed to a child, so a supervisor can hold the lock across its servers. The file is never
 * removed: a lock on an unlinked file excludes nothing.
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

/** Writes the lock's holder into the file, only for the error message. */
function note(fd: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
  } catch (error) {
    // The disk is full: the lock holds without the note.
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
