import { lstatSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type MountState, removeMountState } from './config/mount-state.ts';
import { removeConnectionRecord } from './connection-record.ts';
import { removeRecordedSocket } from './control/socket-record.ts';
import { isAnswered } from './control/unix-socket.ts';
import { isKeptInCache } from './state/same-state.ts';
import { takeoverPaths } from './state/takeover-file.ts';

/**
 * Takes away what a mount has left in its runtime directory whose processes were killed, and which is unmounted: its
 * socket, what it said of itself, and the state for a successor where the one for a cold start is as new. Nothing,
 * where somebody answers at the socket: a new server has begun there.
 */
export async function clearAfter({ directory, socket, cacheDirectory }: MountState): Promise<void> {
  if (directory === undefined || (socket !== null && (await isAnswered(socket)))) return;
  asOwnerOf(directory, () => {
    removeRecordedSocket(directory);
    if (socket !== null && lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) rmSync(socket);
    removeConnectionRecord(directory);
    if (cacheDirectory !== undefined && isKeptInCache(directory, cacheDirectory)) {
      for (const path of Object.values(takeoverPaths(directory))) rmSync(path, { force: true });
    }
    removeMountState(dirname(directory), basename(directory));
  });
}

/** For root the paths of others may lead anywhere: what they may not do is not done for them. */
function asOwnerOf(directory: string, job: () => void): void {
  const owner = lstatSync(directory);
  const self = { uid: process.geteuid?.(), gid: process.getegid?.() };
  if (self.uid !== 0 || owner.uid === 0 || self.gid === undefined) {
    job();
    return;
  }
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    job();
  } finally {
    process.seteuid?.(self.uid);
    process.setegid?.(self.gid);
  }
}
