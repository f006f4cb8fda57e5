import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { HostError } from './host-error.ts';
import { ownerOf } from './mount-owner.ts';
import { type Mount, readMounts } from './mountinfo.ts';
import { MOST_LINKS } from './real-target.ts';

/*
 * A pinned entry is a descriptor that identifies a place in the tree without reading it (open(2), O_PATH):
 * opening it starts no device, blocks on no FIFO and asks no FUSE file system. Operations through it affect
 * the entry that was checked, whatever is renamed meanwhile. Node.js has no openat(2);
 * `/proc/self/fd/<descriptor>/<name>` is equivalent.
 */
const O_PATH = 0o10000000;
const { O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** macOS has neither O_PATH nor /proc/self/fd: only the path is available there. */
const isLinux = process.platform === 'linux';

/**
 * Flags for reading that never wait for the other end of a FIFO, nor for a lease (fcntl(2), F_SETLEASE) to be
 * released.
 */
export const READ_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

export interface Pinned {
  readonly fd: number;
  /** The path with which the entry was opened. */
  readonly path: string;
  readonly mountId: number | undefined;
}

/** A path to the pinned entry, valid while its descriptor is open. */
export function addressOf({ fd, path }: Pinned): string {
  return isLinux ? `/proc/self/fd/${fd}` : path;
}

/** A path to an entry of a pinned directory. */
export function entryOf(directory: Pinned, name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/'))
    throw new TypeError(`no entry: ${name}`);
  return `${addressOf(directory)}/${name}`;
}

/** Pins the entry at a path. Does not follow a symbolic link at the end; the directories above must be trusted. */
export function pin(path: string): Pinned {
  return pinAt(path, path);
}

/** Pins an entry of a pinned directory. Throws HostError if a file system that may not answer is mounted on it. */
export function pinEntry(directory: Pinned, name: string): Pinned {
  const entry = pinAt(entryOf(directory, name), join(directory.path, name));
  if (entry.mountId !== directory.mountId) requireAnsweringOrClose(entry);
  return entry;
}

function pinAt(address: string, path: string): Pinned {
  try {
    const fd = openSync(address, isLinux ? O_PATH | O_NOFOLLOW : READ_FLAGS);
    return { fd, path, mountId: mountIdOf(fd) };
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}

export function hostErrorOf(error: unknown, path: string): unknown {
  // For example, the name holds a NUL byte.
  if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_ARG_VALUE')
    return new HostError('missing', path, 'is no path');
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOENT') return new HostError('missing', path, 'is not there');
  if (error.code === 'ENOTDIR') return new HostError('no-directory', path, 'is not a directory');
  return new HostError('unreadable', path, `cannot be opened (${error.code})`);
}

/**
 * Returns the number of the mount that a descriptor is on, without asking that mount; undefined if unknown.
 */
function mountIdOf(fd: number): number | undefined {
  if (!isLinux) return undefined;
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Throws HostError if the pinned entry is on a FUSE file system of a user other than root or this one. */
function requireAnswering({ mountId, path }: Pinned): void {
  const reason = mountId === undefined ? undefined : reasonAgainst(mountId, readMounts());
  if (reason !== undefined) throw new HostError('user-filesystem', path, reason);
}

/** Returns why a mount on the way may never answer; undefined if it is trusted to answer. */
export function reasonAgainst(
  mountId: number,
  mounts: readonly Pick<Mount, 'mountId' | 'fsType' | 'superOptions'>[],
): string | undefined {
  const mount = mounts.find((each) => each.mountId === mountId);
  // The user of the mount detached it meanwhile. A process that has it open still waits for it.
  if (mount === undefined) return 'lies on a file system that is mounted no more';
  if (!mount.fsType.startsWith('fuse')) return undefined;
  const owner = ownerOf(mount);
  // Compares with the real user: the effective user may be another one if root acts for that user.
  if (owner === 0 || owner === process.getuid?.()) return undefined;
  return 'lies on a FUSE file system of another user, who may never answer';
}

/**
 * Pins the target of an absolute path. Follows symbolic links, component by component, so that it asks only
 * file systems whose owner is trusted to answer.
 */
export function pinFollowed(path: string): Pinned {
  if (!isLinux) return pin(path);
  let here = pin('/');
  // In a chroot, the visible list of mounts does not contain the root's mount, which is trusted here.
  const root = here.mountId;
  const rest = path.split('/').reverse();
  let links = 0;
  try {
    while (rest.length > 0) {
      const name = rest.pop() as string;
      if (name === '' || name === '.') continue;
      const next = pinAt(`${addressOf(here)}/${name}`, name === '..' ? path : join(here.path, name));
      if (next.mountId !== here.mountId && next.mountId !== root) requireAnsweringOrClose(next);
      const before = here;
      if (!fstatSync(next.fd).isSymbolicLink()) {
        here = next;
        closeSync(before.fd);
        continue;
      }
      closeSync(next.fd);
      links += 1;
      if (links > MOST_LINKS) throw new HostError('unreadable', path, 'has too many symbolic links');
      const target = readlinkSync(`${addressOf(here)}/${name}`);
      rest.push(...target.split('/').reverse());
      if (target.startsWith('/')) {
        here = pin('/');
        closeSync(before.fd);
      }
    }
    return { ...here, path };
  } catch (error) {
    closeSync(here.fd);
    throw hostErrorOf(error, path);
  }
}

function requireAnsweringOrClose(pinned: Pinned): void {
  try {
    requireAnswering(pinned);
  } catch (error) {
    closeSync(pinned.fd);
    throw error;
  }
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

export function statsOf({ fd, path }: Pinned): Stats {
  try {
    return fstatSync(fd);
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}

/** Opens for reading a pinned entry that is known to be a regular file. */
export function openPinned(pinned: Pinned): number {
  return openSync(addressOf(pinned), isLinux ? READ_FLAGS & ~O_NOFOLLOW : READ_FLAGS);
}
