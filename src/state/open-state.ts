import { constants } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../sync/ports.ts';
import { coldStartPaths, syncDirectory } from './cold-start-file.ts';
import type { SavedState } from './saved-state.ts';
import { isSystemError, StateError } from './state-error.ts';
import { readState } from './state-file.ts';
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
  /** Whether the one in the cache directory is as new. */
  readonly inCache: boolean;
}

interface Found {
  readonly path: string;
  readonly state: SavedState | undefined;
  readonly error: StateError | undefined;
}

/**
 * What was last published here, for a mount that is made anew: the newer one of the two files that can be used.
 * The other is made equal to it; what cannot be used is told, and goes; unfinished files go.
 */
export async function openState(places: StatePlaces): Promise<FoundState | undefined> {
  const { runtimeDirectory, cacheDirectory, mountId, log } = places;
  const takeover = takeoverPaths(runtimeDirectory);
  const coldStart = coldStartPaths(cacheDirectory);
  const [inRuntime, inCache] = [
    await look(takeover.current, mountId),
    await look(coldStart.current, mountId),
  ];
  const number = (found: Found): number => found.state?.number ?? 0;
  const newest = number(inRuntime) >= number(inCache) ? inRuntime : inCache;
  for (const { path, error } of [inRuntime, inCache]) {
    if (error === undefined) continue;
    const { code, message } = error;
    const then =
      newest.state === undefined
        ? 'the tree is made anew from the store, and its numbers and dates begin anew'
        : `the tree of ${newest.path} is shown`;
    log.warn({ file: path, code, detail: message, then }, 'what was kept of the last tree cannot be used');
    await attempt(path, log, () => rm(path, { recursive: true, force: true }));
  }
  for (const path of [takeover.next, takeover.previous, coldStart.temporary]) {
    await attempt(path, log, () => rm(path, { recursive: true, force: true }));
  }
  const { state } = newest;
  if (state === undefined) return undefined;
  const bringUp = async (other: Found, temporary: string): Promise<boolean> =>
    number(other) === state.number ||
    (await attempt(other.path, log, () => copy(newest.path, temporary, other.path)));
  await bringUp(inRuntime, takeover.next);
  const isInCache = await bringUp(inCache, coldStart.temporary);
  return { state, from: newest === inRuntime ? 'runtime' : 'cache', inCache: isInCache };
}

async function look(path: string, mountId: string): Promise<Found> {
  try {
    return { path, state: await readState(path, mountId), error: undefined };
  } catch (error) {
    if (error instanceof StateError) return { path, state: undefined, error };
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

/** A disk that does not take it is no reason not to mount. */
async function attempt(file: string, log: Logger, job: () => Promise<void>): Promise<boolean> {
  try {
    await job();
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn({ file, code: error.code }, 'a file of the kept state cannot be written');
    return false;
  }
}
