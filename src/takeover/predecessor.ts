import { rmSync } from 'node:fs';
import type { Logger } from '../base/logger.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { DAGMOUNT_TYPE, readMounts, topMountAt } from '../host/mountinfo.ts';
import { mountRuntimeDirectory, mountSocket } from '../host/runtime-paths.ts';
import { removeRecordedSocket } from '../host/socket-record.ts';
import type { MountPlace } from '../mount/mount-place.ts';
import { isStale } from '../mount/mount-point.ts';
import type { Driver } from '../session/driver.ts';
import { MountMark } from '../session/fuse-native/mount-mark.ts';
import type { ConnectionRecord } from '../session/kernel/connection-record.ts';
import { clearAway } from './clear-away.ts';
import type { Supervised } from './supervised.ts';

export interface PredecessorOptions {
  readonly supervised: Supervised;
  readonly place: MountPlace;
  readonly driver: Pick<Driver, 'unmount'>;
  readonly config: MountConfig;
  readonly runtimeDirectory: string;
  readonly log: Logger;
}

/**
 * Looks whether the mount that was left to this server is one that it can go on with. One of other settings is taken
 * away. Resolves to whether it was the right one, and somebody has taken it away meanwhile.
 */
export async function isGone(options: PredecessorOptions): Promise<boolean> {
  const { supervised, place, config, runtimeDirectory, log } = options;
  if (supervised.other !== undefined) replaceOther(options);
  // The mount of fuse-native is also gone where its own process, or the server before, took it away to make another one.
  const mark = new MountMark(mountDirectory(config.cacheDir, supervised.identity.id));
  const isTakenAway =
    supervised.device !== undefined
      ? !place.isHeldFor(config.source)
      : supervised.inheritsMount && mark.isSet && !place.isHeld;
  if (!isTakenAway) return false;
  mark.clear();
  supervised.lost();
  await clearAway(config, runtimeDirectory, supervised.identity.id, log);
  return true;
}

/** Whether there is a mount at the target that nobody will serve any more. Rejects with MountError where one is served. */
export async function isToBeReplaced(options: PredecessorOptions): Promise<boolean> {
  const { supervised, place, config, runtimeDirectory } = options;
  // Its server may be about to end still.
  if (supervised.inheritsMount && place.isHeldFor(config.source)) return true;
  return await isStale(config, runtimeDirectory);
}

export interface Left {
  /** How the connection of a predecessor was agreed on, where that is known. */
  readonly record: ConnectionRecord | undefined;
  /** Whether that connection is gone on with; otherwise the mount is made anew. */
  readonly goesOn: boolean;
}

/** Looks at what this server could go on with. libfuse takes over no connection but its own. */
export function lookAtLeft({ device, record }: Supervised, driver: Driver['name'], log: Logger): Left {
  if (device === undefined) return { record: undefined, goesOn: false };
  if (driver !== 'kernel') {
    log.warn({ event: 'other-driver', driver }, 'another driver left this mount: it is mounted anew');
    return { record: undefined, goesOn: false };
  }
  if (record !== 'unusable') return { record, goesOn: true };
  log.warn({ event: 'unusable' }, 'another version left this mount: it is mounted anew');
  return { record: undefined, goesOn: false };
}

function replaceOther({ supervised, driver, runtimeDirectory, log }: PredecessorOptions): void {
  const { other } = supervised;
  if (other === undefined) return;
  const { id, source, target } = other;
  log.warn(
    { event: 'other-mount', source, target },
    'the settings name another mount than before: that one is taken away',
  );
  const there = topMountAt(readMounts(), target);
  if (there?.fsType === DAGMOUNT_TYPE && there.source === source) {
    // Its readers are served no more: there is nothing to wait for.
    driver.unmount(target, true);
  }
  supervised.startAfresh();
  removeRecordedSocket(mountRuntimeDirectory(runtimeDirectory, id));
  rmSync(mountRuntimeDirectory(runtimeDirectory, id), { recursive: true, force: true });
  rmSync(mountSocket(runtimeDirectory, id), { force: true });
}
