import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Logger } from '../base/logger.ts';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { coldStartPaths } from './cold-start-file.ts';
import type { StatePlaces } from './open-state.ts';
import type { SavedState } from './saved-state.ts';
import { StateError } from './state-error.ts';
import { readState } from './state-file.ts';
import { HEAD_BYTES } from './state-header.ts';
import { takeoverPaths } from './takeover-file.ts';

export interface TakeoverFound {
  readonly state: SavedState;
  /** Whether the state in the cache directory is as new. */
  readonly inCache: boolean;
  /** The previous state, while the kernel may lack notifications about changes since. */
  readonly previous: SavedState | undefined;
}

/**
 * The state in force, for a successor on the same kernel connection. If it is undefined (unusable), the connection is
 * unusable too, because the content of the kernel's caches is unknown. Removes nothing: the next successor may need
 * it.
 */
export async function openTakeover(places: StatePlaces): Promise<TakeoverFound | undefined> {
  const { runtimeDirectory, cacheDirectory, mountId, log } = places;
  const { current, previous } = takeoverPaths(runtimeDirectory);
  const inForce = await look(current, mountId, log);
  const before = await look(previous, mountId, log);
  // Without the previous tree the owed notifications are unknown.
  if (inForce === undefined || inForce === 'unusable' || before === 'unusable') return undefined;
  const kept = await headOf(coldStartPaths(cacheDirectory).current);
  return { state: inForce.state, inCache: kept?.equals(inForce.head) === true, previous: before?.state };
}

async function look(
  path: string,
  mountId: string,
  log: Logger,
): Promise<Awaited<ReturnType<typeof readState>> | 'unusable'> {
  try {
    return await readState(path, mountId);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const { code, message } = error;
    log.warn(
      { event: 'state-unusable', file: path, code, detail: message, outcome: 'new-mount' },
      'the stored state of the last tree cannot be used',
    );
    return 'unusable';
  }
}

async function headOf(path: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!isOwn(await handle.stat())) return undefined;
      const head = Buffer.alloc(HEAD_BYTES);
      await handle.read(head, 0, HEAD_BYTES, 0);
      return head;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}
