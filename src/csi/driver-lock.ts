import { closeSync, ftruncateSync, mkdirSync, readFileSync, realpathSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { CodedError } from '../base/coded-error.ts';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { isSystemError } from '../base/system-error.ts';
import type { DriverConfig } from './driver-config.ts';
import { mountsDirectoryOf } from './mount-files.ts';

/**
 * - `driver-running`: another driver uses a directory or the socket of this one, and does not end
 * - `driver-unlockable`: a directory of the driver cannot be made or written
 */
export class DriverError extends CodedError<'driver-running' | 'driver-unlockable'> {
  override readonly name = 'DriverError';
}

export interface DriverLockOptions {
  readonly paths: readonly string[];
  /**
   * Locks the file at a path exclusively by flock(2), and creates it if it is missing. Returns the fd that
   * has the lock, or the negative errno.
   */
  readonly lockFile: (path: string) => number;
  /** The name of this driver, for the log of another driver that waits for this one. */
  readonly name: string;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly log: Logger;
  /** Ends the wait for another driver. */
  readonly signal: AbortSignal;
}

export interface DriverLock {
  release(): void;
}

/** How long a driver waits for another one to end: longer than Kubernetes gives a driver's pod to end. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 250;
const HELD = 'EAGAIN';
const LONGEST_NOTE = 200;

/** Returns the paths of the lock files: one file for each thing that two drivers must not share. */
export function driverLockPaths(
  { stateDirectory, cacheDirectory }: Pick<DriverConfig, 'stateDirectory' | 'cacheDirectory'>,
  kubeletDirectory: string,
  socket: string,
): readonly string[] {
  const { name } = persistedFiles.driverLock;
  return [
    `${mountsDirectoryOf(kubeletDirectory)}.${name}`,
    join(stateDirectory, name),
    join(cacheDirectory, name),
    `${socket}.${name}`,
  ];
}

/**
 * Locks the files at `paths`, so that only one driver runs. A second driver would unmount what the first is
 * about to publish, remove the keys and tokens of the first, and replace its socket. The first driver would
 * remove the socket of the second when it ends. Waits for another driver that ends soon, as in an upgrade
 * that starts the new pod first. The kernel removes the locks when the process ends, in whatever way it ends.
 * Rejects with DriverError if another driver does not end, or a file cannot be locked; or with the reason of
 * `signal`.
 */
export async function lockDriver(options: DriverLockOptions): Promise<DriverLock> {
  const { paths, name, clock, log, signal } = options;
  let waited = 0;
  const fds: number[] = [];
  const release = (): void => fds.splice(0).forEach(closeSync);
  let waitsFor: string | undefined;
  try {
    // Two paths may be the same file. Without the Set, this process would wait for itself.
    for (const path of new Set(paths.map(placeOf))) {
      for (;;) {
        const fd = locked(path, options);
        if (fd !== undefined) {
          fds.push(fd);
          break;
        }
        const other = noteIn(path);
        if (waited >= PATIENCE_MS) throw running(path, other);
        if (waitsFor !== other) {
          log.warn(
            { event: 'driver-waits', path, other },
            'another driver runs on this node: this one starts when that one has ended',
          );
        }
        waitsFor = other;
        await clock.sleep(LOOK_MS, signal);
        waited += LOOK_MS;
      }
    }
  } catch (error) {
    release();
    throw error;
  }
  const note = `${name}, since ${new Date(clock.now()).toISOString()}\n`;
  for (const fd of fds) write(fd, note);
  return { release };
}

/** Returns the path with the links of its directory resolved. Creates the directory if it is missing. */
function placeOf(path: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    return join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    if (isSystemError(error)) throw unlockable(path, error.code, error);
    throw error;
  }
}

/** Locks a file and returns its fd; undefined if another process has the lock. */
function locked(path: string, { lockFile }: DriverLockOptions): number | undefined {
  const fd = lockFile(path);
  if (fd >= 0) return fd;
  const code = getSystemErrorName(fd);
  if (code === HELD) return undefined;
  throw unlockable(path, code);
}

/**
 * Writes the name of this driver to a lock file, for the error of another driver. The name is used for
 * nothing else, so a full disk does not end this driver.
 */
function write(fd: number, note: string): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, note, 0);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

function noteIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, LONGEST_NOTE).trim();
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

function running(path: string, other: string): DriverError {
  return new DriverError(
    'driver-running',
    `Another driver runs on this node${other === '' ? '' : ` (${other})`}: it has locked ${path}.`,
    'A node has one driver: wait for the end of the other one, or remove one of the two DaemonSets.',
  );
}

function unlockable(path: string, code: string | undefined, cause?: unknown): DriverError {
  return new DriverError(
    'driver-unlockable',
    `The driver cannot lock ${path} (${code}).`,
    'Give the driver a directory of the node there that it can write.',
    cause,
  );
}
