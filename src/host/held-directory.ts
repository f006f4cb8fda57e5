import { closeSync, fstatSync, opendirSync, readSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HostError, tooLarge } from './host-error.ts';
import {
  addressOf,
  entryOf,
  hostErrorOf,
  openPinned,
  type Pinned,
  pinEntry,
  pinFollowed,
  statsOf,
} from './pinned.ts';

const WRITABLE_BY_OTHERS = 0o022;
/** The maximum number of bytes of a file by which a mount describes itself. */
export const MOST_BYTES = 64 * 1024;

/**
 * A directory that belongs to one user, held by a descriptor. Reads and removals affect only entries of this
 * directory, even if the owner renames things meanwhile. What is read must belong to that user, too.
 */
export class HeldDirectory {
  readonly #pinned: Pinned;
  readonly #owner: number;

  private constructor(pinned: Pinned, owner: number) {
    this.#pinned = pinned;
    this.#owner = owner;
  }

  /**
   * Opens a directory. Does not follow a symbolic link at `path`. Throws HostError unless it is a directory
   * of `owner` that no other user may write to.
   */
  static open(path: string, owner: number): HeldDirectory {
    const parent = pinFollowed(dirname(path));
    try {
      return HeldDirectory.#checked(pinEntry(parent, basename(path)), owner);
    } finally {
      closeSync(parent.fd);
    }
  }

  /** Opens a subdirectory, under the same conditions. Throws HostError. */
  directory(name: string): HeldDirectory {
    return HeldDirectory.#checked(pinEntry(this.#pinned, name), this.#owner);
  }

  static #checked(pinned: Pinned, owner: number): HeldDirectory {
    try {
      const stats = statsOf(pinned);
      if (!stats.isDirectory()) throw new HostError('no-directory', pinned.path, 'is not a directory');
      requireOwner(stats.uid, owner, pinned.path);
      if ((stats.mode & WRITABLE_BY_OTHERS) !== 0)
        throw new HostError('open-to-others', pinned.path, 'can be written by others than its owner');
      return new HeldDirectory(pinned, owner);
    } catch (error) {
      closeSync(pinned.fd);
      throw error;
    }
  }

  /** Returns at most `most` names of entries. `all` says whether these are all names. */
  names(most: number): { readonly names: readonly string[]; readonly all: boolean } {
    const names: string[] = [];
    try {
      const directory = opendirSync(addressOf(this.#pinned));
      try {
        for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
          if (names.length === most) return { names, all: false };
          names.push(entry.name);
        }
        return { names, all: true };
      } finally {
        directory.closeSync();
      }
    } catch (error) {
      throw hostErrorOf(error, this.#pinned.path);
    }
  }

  /** Reads a regular file of the owner. Never blocks. Throws HostError for a larger file or another entry. */
  read(name: string, mostBytes = MOST_BYTES): Buffer {
    const pinned = pinEntry(this.#pinned, name);
    try {
      const stats = statsOf(pinned);
      if (!stats.isFile()) throw new HostError('no-file', pinned.path, 'is not a regular file');
      requireOwner(stats.uid, this.#owner, pinned.path);
      return readWhole(pinned, mostBytes);
    } finally {
      closeSync(pinned.fd);
    }
  }

  /**
   * Removes an entry that is not a directory; of a link, the link itself and not its target. Does nothing if
   * there is no such entry.
   */
  remove(name: string): void {
    attempt(() => unlinkSync(entryOf(this.#pinned, name)), `${this.#pinned.path}/${name}`, 'missing');
  }

  /** Removes a subdirectory if it is empty. */
  removeDirectory(name: string): void {
    const path = `${this.#pinned.path}/${name}`;
    attempt(() => rmdirSync(entryOf(this.#pinned, name)), path, 'missing', 'unreadable');
  }

  close(): void {
    closeSync(this.#pinned.fd);
  }
}

function requireOwner(uid: number, owner: number, path: string): void {
  if (uid !== owner) throw new HostError('other-owner', path, `belongs to another user (uid ${uid})`);
}

function readWhole(pinned: Pinned, mostBytes: number): Buffer {
  const { path } = pinned;
  try {
    const fd = openPinned(pinned);
    try {
      // One byte more is read than is allowed, because the file may grow meanwhile.
      if (fstatSync(fd).size > mostBytes) throw tooLarge(path, mostBytes);
      const bytes = Buffer.alloc(mostBytes + 1);
      let filled = 0;
      for (let got = -1; got !== 0 && filled < bytes.length; filled += got)
        got = readSync(fd, bytes, filled, bytes.length - filled, filled);
      if (filled > mostBytes) throw tooLarge(path, mostBytes);
      return bytes.subarray(0, filled);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}

/** Runs `act`. Ignores a HostError with an accepted code. */
function attempt(act: () => void, path: string, ...accepted: readonly HostError['code'][]): void {
  try {
    act();
  } catch (error) {
    const failure = hostErrorOf(error, path);
    if (!(failure instanceof HostError && accepted.includes(failure.code))) throw failure;
  }
}
