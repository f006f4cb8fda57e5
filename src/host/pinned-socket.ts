import { closeSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HostError } from './host-error.ts';
import { addressOf, entryOf, hostErrorOf, type Pinned, pinEntry, pinFollowed, statsOf } from './pinned.ts';

/**
 * A socket of another user, held by a descriptor, because the path may have another socket a moment later.
 */
export interface PinnedSocket {
  /** The address to connect to, valid until `close` is called. */
  readonly address: string;
  close(): void;
}

/** Opens the socket at a path. Throws HostError unless it is a socket of `owner`. */
export function pinSocket(path: string, owner: number): PinnedSocket {
  const pinned = pinFollowed(path);
  try {
    requireSocket(pinned, owner);
    return { address: addressOf(pinned), close: () => closeSync(pinned.fd) };
  } catch (error) {
    closeSync(pinned.fd);
    throw error;
  }
}

/** Removes a socket of `owner`. Does nothing if the path has anything else. */
export function removeSocket(path: string, owner: number): void {
  if (['', '.', '..'].includes(basename(path))) return;
  let parent: Pinned | undefined;
  try {
    parent = pinFollowed(dirname(path));
    const entry = pinEntry(parent, basename(path));
    try {
      requireSocket(entry, owner);
    } finally {
      closeSync(entry.fd);
    }
    unlinkSync(entryOf(parent, basename(path)));
  } catch (error) {
    const failure = hostErrorOf(error, path);
    if (!(failure instanceof HostError) || failure.code === 'unreadable') throw failure;
  } finally {
    if (parent !== undefined) closeSync(parent.fd);
  }
}

function requireSocket(pinned: Pinned, owner: number): void {
  const stats = statsOf(pinned);
  if (!stats.isSocket()) throw new HostError('no-socket', pinned.path, 'is not a socket');
  if (stats.uid !== owner)
    throw new HostError('other-owner', pinned.path, `belongs to another user (uid ${stats.uid})`);
}
