import { lstatSync } from 'node:fs';
import type { Logger } from '../base/logger.ts';
import type { StatePlaces } from './open-state.ts';
import { isHeadInCache } from './same-state.ts';
import type { SavedState } from './saved-state.ts';
import { StateError } from './state-error.ts';
import { type ReadState, readState } from './state-file.ts';
import { takeoverPaths } from './takeover-file.ts';

export interface TakeoverFound {
  readonly state: SavedState;
  /** Whether the file in the cache directory has this state, too. */
  readonly inCache: () => Promise<boolean>;
  /** The state before this one, if the kernel may lack notifications about the changes between the two. */
  readonly previous: SavedState | undefined;
}

/**
 * Reads the state in force (the last one that was committed), for a successor on the same kernel connection.
 * Returns undefined if that state or the previous one is unusable. The connection is then unusable, too,
 * because nothing else says what the kernel's caches hold. Removes nothing, because the next successor may
 * need it.
 *
 * @param ahead the state that was read in advance, if it still is the one in force
 */
export async function openTakeover(
  places: StatePlaces,
  ahead?: ReadState,
): Promise<TakeoverFound | undefined> {
  const { runtimeDirectory, cacheDirectory, mountId, log } = places;
  const { current, previous } = takeoverPaths(runtimeDirectory);
  const inForce = ahead ?? (await look(current, mountId, log));
  // Readers wait: asking the tmpfs on this thread takes less time than a turn of the thread pool.
  const isThere = lstatSync(previous, { throwIfNoEntry: false }) !== undefined;
  const before = isThere ? await look(previous, mountId, log) : undefined;
  // Without the previous tree it is unknown which notifications the kernel lacks.
  if (inForce === undefined || inForce === 'unusable' || before === 'unusable') return undefined;
  const { head, state } = inForce;
  return { state, inCache: () => isHeadInCache(head, cacheDirectory), previous: before?.state };
}

async function look(path: string, mountId: string, log: Logger): Promise<ReadState | 'unusable' | undefined> {
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
