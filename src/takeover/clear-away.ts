import { rmSync } from 'node:fs';
import type { Logger } from '../base/logger.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { mountRuntimeDirectory, mountSocket } from '../host/runtime-paths.ts';
import { removeRecordedSocket } from '../host/socket-record.ts';
import { removeMountState } from '../host/write-mount-state.ts';
import { systemClock } from '../sync/system-clock.ts';
import { openKeptState } from './kept-state.ts';

/** Cleans up after a killed server whose mount is gone, as its regular end would have: removes its socket, keeps its state. */
export async function clearAway(
  config: MountConfig,
  runtimeDirectory: string,
  mountId: string,
  log: Logger,
): Promise<void> {
  rmSync(config.socket ?? mountSocket(runtimeDirectory, mountId), { force: true });
  removeRecordedSocket(mountRuntimeDirectory(runtimeDirectory, mountId));
  const { store } = await openKeptState({
    config,
    mountId,
    runtimeDirectory: mountRuntimeDirectory(runtimeDirectory, mountId),
    cacheDirectory: mountDirectory(config.cacheDir, mountId),
    takesOver: false,
    clock: systemClock,
    log,
  });
  removeMountState(runtimeDirectory, mountId);
  await store.close({ unmounted: true });
}
