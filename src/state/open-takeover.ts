import type { Logger } from '../base/logger.ts';
import type { StatePlaces } from './open-state.ts';
import { isHeadInCache } from './same-state.ts';
import type { SavedState } from './saved-state.ts';
import { StateError } from './state-error.ts';
import { readState } from './state-file.ts';
import { takeoverPaths } from './takeover-file.ts';

export interface TakeoverFound {
  readonly state: SavedState;
  /** Whether the file in the cache directory has this state, too. */
  readonly inCache: boolean;
  /** The state before this one, if the kernel may lack notifications about the changes between the two. */
  readonly previous: SavedState | undefined;
}

/**
 * Reads the state in force (the last one that was committed), for a successor on the same kernel connection.
 * Returns undefined if that state or the previous one is unusable. The connection is then unusable, too,
 * because nothing else says what the kernel's caches hold. Removes nothing, because the next successor may
 * need it.
 */
export async function openTakeover(places: StatePlaces): Promise<TakeoverFound | undefined> {
  const { runtimeDirectory, cacheDirectory, mountId, log } = places;
  const { current, previous } = takeoverPaths(runtimeDirectory);
  const inForce = await look(current, mountId, log);
  const before = await look(previous, mountId, log);
  // Without the previous tree it is unknown which notifications the kernel lacks.
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
