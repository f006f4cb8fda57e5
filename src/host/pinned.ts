import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { HostError } from './host-error.ts';
import { ownerOf } from './mount-owner.ts';
import { type Mount, readMounts } from './mountinfo.ts';
import { MOST_LINKS } from './real-target.ts';

/*
 * A descriptor that stands for a place in the tree, and reads nothing (open(2), O_PATH): opening it starts no device,
 * waits for no FIFO and asks no FUSE file system. What is done through it is done to what was checked, whatever is
 * renamed meanwhile. Node.js has no openat(2); `/proc/self/fd/<descriptor>/<name>` is the same.
 */
const O_PATH = 0o10000000;
const { O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** macOS has neither O_PATH nor that directory: there a path is all that there is. */
const isLinux = process.platform === 'linux';

/** Opened for reading: never waits for the other end of a FIFO, nor for a lease (fcntl(2), F_SETLEASE) to be given up. */
export const READ_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

export interface Pinned {
  readonly fd: number;
  /** What it was opened by. */
  readonly path: string;
  readonly mountId: number | undefined;
}

/** A path that leads to what is pinned, as long as its descriptor is open. */
export function addressOf({ fd, path }: Pinned): string {
  return isLinux ? `/proc/self/fd/${fd}` : path;
}

/** A path to an entry of a pinned directory. */
export function entryOf(directory: Pinned, name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/'))
    throw new TypeError(`no entry: ${name}`);
  return `${addressOf(directory)}/${name}`;
}

/** Pins what is at a path. A symbolic link at its end is not followed; the directories above have to be trusted. */
export function pin(path: string): Pinned {
  return pinAt(path, path);
}

/** Pins an entry of a pinned directory. Throws HostError where a file system is mounted on it that may not answer. */
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
  // A NUL byte in it, say.
  if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_ARG_VALUE')
    return new HostError('missing', path, 'is no path');
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOENT') return new HostError('missing', path, 'is not there');
  if (error.code === 'ENOTDIR') return new HostError('no-directory', path, 'is not a directory');
  return new HostError('unreadable', path, `cannot be opened (${error.code})`);
}

/** Which mount a descriptor lies on, without asking that mount anything. */
function mountIdOf(fd: number): number | undefined {
  if (!isLinux) return undefined;
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Throws HostError where what is pinned is on a FUSE file system of another user than root, or this one. */
function requireAnswering({ mountId, path }: Pinned): void {
  const reason = mountId === undefined ? undefined : reasonAgainst(mountId, readMounts());
  if (reason !== undefined) throw new HostError('user-filesystem', path, reason);
}

/** Why a mount that was gone over to may never answer; undefined: it does. */
export function reasonAgainst(
  mountId: number,
  mounts: readonly Pick<Mount, 'mountId' | 'fsType' | 'superOptions'>[],
): string | undefined {
  const mount = mounts.find((each) => each.mountId === mountId);
  // Its user detached it meanwhile: whoever has it open still waits for it.
  if (mount === undefined) return 'lies on a file system that is mounted no more';
  if (!mount.fsType.startsWith('fuse')) return undefined;
  const owner = ownerOf(mount);
  // The real user: the effective one may be a user for whom root acts.
  if (owner === 0 || owner === process.getuid?.()) return undefined;
  return 'lies on a FUSE file system of another user, who may never answer';
}

/**
 * Pins what an absolute path leads to, symbolic links followed, one component after another: so that no file system
 * is asked of whose owner it is not known that it answers.
 */
export function pinFollowed(path: string): Pinned {
  if (!isLinux) return pin(path);
  let here = pin('/');
  // In a chroot it is not among the mounts that are seen.
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

/** Opens for reading what is pinned, and is known to be a regular file. */
export function openPinned(pinned: Pinned): number {
  return openSync(addressOf(pinned), isLinux ? READ_FLAGS & ~O_NOFOLLOW : READ_FLAGS);
}
