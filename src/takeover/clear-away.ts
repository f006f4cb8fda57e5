import { rmSync } from 'node:fs';
import type { Logger } from '../base/logger.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { mountRuntimeDirectory, mountSocket } from '../host/runtime-paths.ts';
import { removeRecordedSocket } from '../host/socket-record.ts';
import { removeMountState } from '../host/write-mount-state.ts';
import type { StateStore } from '../state/state-store.ts';
import { systemClock } from '../sync/system-clock.ts';
import { openKeptState } from './kept-state.ts';
import { mountTrees, removeEmpty } from './mount-trees.ts';

/**
 * Cleans up after a killed server whose mount is gone, as that server would have done at a regular end:
 * removes its socket, and keeps its state.
 */
export async function clearAway(
  config: MountConfig,
  runtimeDirectory: string,
  mountId: string,
  log: Logger,
): Promise<void> {
  rmSync(config.socket ?? mountSocket(runtimeDirectory, mountId), { force: true });
  removeRecordedSocket(mountRuntimeDirectory(runtimeDirectory, mountId));
  const places = {
    runtimeDirectory: mountRuntimeDirectory(runtimeDirectory, mountId),
    cacheDirectory: mountDirectory(config.cacheDir, mountId),
  };
  const trees = mountTrees(config, mountId, places);
  const stores: StateStore[] = [];
  for (const { config: of, id, places: own, mark } of trees) {
    const state = { config: of, mountId: id, takesOver: false, clock: systemClock, log };
    stores.push((await openKeptState({ ...own, ...state })).store);
    mark.clear();
  }
  removeMountState(runtimeDirectory, mountId);
  for (const store of stores) await store.close({ unmounted: true });
  if (config.trees.length > 0) removeEmpty(places.runtimeDirectory);
}
