import { basename, dirname } from 'node:path';
import { MOST_TREES } from '../config/placed-trees.ts';
import { actingAs } from '../host/acting-as.ts';
import { isAnswered } from '../host/bound-socket.ts';
import { HeldDirectory } from '../host/held-directory.ts';
import { HostError } from '../host/host-error.ts';
import type { Identity } from '../host/mount-owner.ts';
import { type MountState, STATE_FILE } from '../host/mount-state.ts';
import { pinSocket, removeSocket } from '../host/pinned-socket.ts';
import { removeRecordedSocket, SOCKET_RECORD_FILE } from '../host/socket-record.ts';
import { CONNECTION_FILE } from '../session/kernel/connection-record.ts';
import { isKeptInCache } from '../state/same-state.ts';
import { takeoverPaths } from '../state/takeover-file.ts';
import { TREES_DIRECTORY } from './mount-trees.ts';
import { TREE_MARK_FILE } from './tree-mark.ts';

/**
 * Removes the socket and the state files of an unmounted mount whose processes were killed. Removes nothing
 * if a process answers at the socket, because a new server runs there. If a file was not removed, returns the
 * reason.
 *
 * The state files of another user's mount are untrusted. Files that they name are opened without following a
 * link, and removed with that user's rights.
 */
export async function clearAfter(state: MountState, owner: Identity): Promise<string | undefined> {
  const { directory, socket } = state;
  if (directory === undefined || (socket !== null && (await isAnsweredAt(socket, owner.uid))))
    return undefined;
  try {
    clear(state, directory, owner);
    return undefined;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return error.code === 'missing' ? undefined : error.message;
  }
}

function clear({ socket, cacheDirectory }: MountState, directory: string, owner: Identity): void {
  const isOwn = owner.uid === process.geteuid?.();
  if (isOwn) removeRecordedSocket(directory);
  const all = HeldDirectory.open(dirname(directory), owner.uid);
  try {
    const own = all.directory(basename(directory));
    try {
      const files: string[] = [SOCKET_RECORD_FILE, CONNECTION_FILE, STATE_FILE];
      // The state for a successor can be removed if the state for a cold start equals it. For another user's
      // mount, that user's next start compares them.
      const isKept = isOwn && cacheDirectory !== undefined && isKeptInCache(directory, cacheDirectory);
      if (isKept) files.push(...Object.values(takeoverPaths(directory)).map((path) => basename(path)));
      // The same condition as for the state of the mount itself.
      const isTreeKept = (name: string): boolean =>
        isOwn &&
        cacheDirectory !== undefined &&
        isKeptInCache(treeDirectory(directory, name), treeDirectory(cacheDirectory, name));
      actingAs(owner, () => {
        if (socket !== null) removeSocket(socket, owner.uid);
        for (const file of files) own.remove(file);
        clearTrees(own, directory, isTreeKept);
        all.removeDirectory(basename(directory));
      });
    } finally {
      own.close();
    }
  } finally {
    all.close();
  }
}

/**
 * Clears the runtime directories of the trees of a mount. Removes the state of a tree only if the cache
 * directory has the same state. Other files stay for the next start.
 */
function clearTrees(mount: HeldDirectory, directory: string, isKept: (name: string) => boolean): void {
  const trees = directoryIfThere(mount, TREES_DIRECTORY);
  if (trees === undefined) return;
  try {
    for (const name of trees.names(MOST_TREES).names) {
      const states = isKept(name) ? Object.values(takeoverPaths(treeDirectory(directory, name))) : [];
      const tree = trees.directory(name);
      try {
        for (const file of [TREE_MARK_FILE, ...states.map((path) => basename(path))]) tree.remove(file);
        trees.removeDirectory(name);
      } finally {
        tree.close();
      }
    }
    mount.removeDirectory(TREES_DIRECTORY);
  } finally {
    trees.close();
  }
}

function treeDirectory(directory: string, name: string): string {
  return `${directory}/${TREES_DIRECTORY}/${name}`;
}

function directoryIfThere(parent: HeldDirectory, name: string): HeldDirectory | undefined {
  try {
    return parent.directory(name);
  } catch (error) {
    if (error instanceof HostError && error.code === 'missing') return undefined;
    throw error;
  }
}

async function isAnsweredAt(path: string, owner: number): Promise<boolean> {
  try {
    const socket = pinSocket(path, owner);
    try {
      return await isAnswered(socket.address);
    } finally {
      socket.close();
    }
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}
