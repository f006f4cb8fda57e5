import { constants } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../base/logger.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import { isSystemError } from '../base/system-error.ts';
import { coldStartPaths } from './cold-start-file.ts';
import type { SavedState } from './saved-state.ts';
import { StateError } from './state-error.ts';
import { type ReadState, readState } from './state-file.ts';
import { takeoverPaths } from './takeover-file.ts';

export interface StatePlaces {
  readonly runtimeDirectory: string;
  readonly cacheDirectory: string;
  readonly mountId: string;
  readonly log: Logger;
}

export interface FoundState {
  readonly state: SavedState;
  readonly from: 'runtime' | 'cache';
  /** Whether the file in the cache directory has this state, too. */
  readonly inCache: boolean;
}

interface Found {
  readonly path: string;
  readonly read: ReadState | undefined;
  readonly error: StateError | undefined;
}

/**
 * Returns the state of the last publication, for a new mount. It takes the newer one of the usable files in
 * the two directories, and undefined if neither is usable. Makes the other file equal to the newer one,
 * reports and removes unusable files, and removes unfinished files.
 */
export async function openState(places: StatePlaces): Promise<FoundState | undefined> {
  const { runtimeDirectory, cacheDirectory, mountId, log } = places;
  const takeover = takeoverPaths(runtimeDirectory);
  const coldStart = coldStartPaths(cacheDirectory);
  const inRuntime = await look(takeover.current, mountId);
  const inCache = await look(coldStart.current, mountId, inRuntime.read);
  const number = (found: Found): number => found.read?.state.number ?? 0;
  const newest = number(inRuntime) >= number(inCache) ? inRuntime : inCache;
  for (const { path, error } of [inRuntime, inCache]) {
    if (error === undefined) continue;
    const { code, message } = error;
    const isReplaced = newest.read !== undefined;
    const how = isReplaced ? { outcome: 'other-file', other: newest.path } : { outcome: 'new-tree' };
    log.warn(
      { event: 'state-unusable', file: path, code, detail: message, ...how },
      'a stored state cannot be used; `outcome` says what follows',
    );
    await attempt(path, log, () => rm(path, { recursive: true, force: true }));
  }
  const { next, previous, verified, verifiedNext } = takeover;
  for (const path of [next, previous, verified, verifiedNext, coldStart.temporary]) {
    await attempt(path, log, () => rm(path, { recursive: true, force: true }));
  }
  if (newest.read === undefined) return undefined;
  const { state } = newest.read;
  const bringUp = async (other: Found, temporary: string): Promise<boolean> =>
    number(other) === state.number ||
    (await attempt(other.path, log, () => copy(newest.path, temporary, other.path)));
  await bringUp(inRuntime, takeover.next);
  const isInCache = await bringUp(inCache, coldStart.temporary);
  return { state, from: newest === inRuntime ? 'runtime' : 'cache', inCache: isInCache };
}

async function look(path: string, mountId: string, known?: ReadState): Promise<Found> {
  try {
    return { path, read: await readState(path, mountId, known), error: undefined };
  } catch (error) {
    if (error instanceof StateError) return { path, read: undefined, error };
    throw error;
  }
}

async function copy(from: string, temporary: string, to: string): Promise<void> {
  await copyFile(from, temporary, constants.COPYFILE_EXCL);
  const handle = await open(temporary, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, to);
  await syncDirectory(dirname(to));
}

/**
 * Runs a job on a file. Logs a system error and returns false, because a disk that accepts no writes must not
 * prevent mounting.
 */
async function attempt(file: string, log: Logger, job: () => Promise<void>): Promise<boolean> {
  try {
    await job();
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn(
      { event: 'state-write-failed', file, code: error.code },
      'a file of the stored state cannot be written',
    );
    return false;
  }
}
