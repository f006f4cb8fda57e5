import { closeSync, fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { retry } from '../base/retry/retry.ts';
import { RETRIES } from '../base/retry/retry-policies.ts';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { CacheError } from './cache-error.ts';

/** Returns the path of the lock file of a mount's cache directory. */
export function lockPath(directory: string): string {
  return `${directory}/${persistedFiles.lock.name}`;
}

export interface DirectoryLock {
  release(): void;
}

/**
 * Locks a cache directory by its lock file at `path`, and creates a missing file. Throws CacheError:
 * `cache-in-use` if another process holds the lock.
 */
export type LockDirectory = (path: string) => DirectoryLock;

/**
 * Runs `attempt`, which locks a cache directory. If another process holds the lock, retries for some 4 s. A
 * process that was killed releases its lock only when the kernel has ended all of its threads. A holder
 * (`dagmount hold`) releases it up to a second after the mount is gone. Rejects with the reason of `signal` if it is aborted.
 */
export function lockSoon<Locked>(
  attempt: () => Promise<Locked>,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<Locked> {
  return retry(attempt, {
    policy: RETRIES.cacheLock,
    mayRepair: (error) => error instanceof CacheError && error.code === 'cache-in-use',
    sleep: (ms) => clock.sleep(ms, signal),
    random: () => 0,
  });
}

/**
 * The native addon's function that opens or creates the lock file (0600, close-on-exec) and takes flock(2)
 * LOCK_EX | LOCK_NB. Returns the descriptor; if one of these calls fails, the negative errno.
 */
export type LockFile = (path: string) => number;

/** The negative errnos for a lock that another process holds: EAGAIN, which is EWOULDBLOCK; 35 on macOS. */
const HELD: ReadonlySet<number> = new Set([-11, -35]);

/**
 * Returns the function that locks a cache directory against a second daemon. It uses flock(2) through the
 * native addon, because Node.js has no such call.
 *
 * The kernel releases the lock when the last descriptor of the lock is closed, also after SIGKILL, so there
 * is no stale lock to detect. The lock belongs to the file, so it works between containers that share the
 * directory as a volume. In another container, a pid in a lock file would mean another process or none, and
 * an abstract socket would lie in another network namespace. The descriptor can be passed to a child, so a
 * supervisor can hold the lock across its servers. The lock file is never removed, because a lock on an
 * unlinked file excludes no process.
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

/** Writes this process's id into the lock file. Only the error message of another daemon uses it. */
function note(fd: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
  } catch (error) {
    // Ignored, because the lock holds without the note: the disk may be full.
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
