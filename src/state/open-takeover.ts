import type { Logger } from '../base/logger.ts';
import type { StatePlaces } from './open-state.ts';
import { isHeadInCache } from './same-state.ts';
import type { SavedState } from './saved-state.ts';
import { StateError } from './state-error.ts';
import { readState } from './state-file.ts';
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
  const inCache = await isHeadInCache(inForce.head, cacheDirectory);
  return { state: inForce.state, inCache, previous: before?.state };
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
      'a stored state cannot be used; the mount cannot be taken over, and is made again',
    );
    return 'unusable';
  }
}
