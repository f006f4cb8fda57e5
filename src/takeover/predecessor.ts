import { rmSync } from 'node:fs';
import type { Logger } from '../base/logger.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { isMountOf, type Mount, readMounts, topMountAt } from '../host/mountinfo.ts';
import { mountRuntimeDirectory, mountSocket } from '../host/runtime-paths.ts';
import { removeRecordedSocket } from '../host/socket-record.ts';
import type { MountPlace } from '../mount/mount-place.ts';
import { isStale } from '../mount/mount-point.ts';
import type { Driver } from '../session/driver.ts';
import { MountMark } from '../session/fuse-native/mount-mark.ts';
import type { ConnectionRecord } from '../session/kernel/connection-record.ts';
import { clearAway } from './clear-away.ts';
import type { KeptMount } from './kept/kept-mount.ts';
import type { Supervised } from './supervised.ts';

export interface PredecessorOptions {
  readonly supervised: Pick<Supervised, 'mount' | 'startAfresh' | 'setTakeoverDeadline'>;
  readonly place: Pick<MountPlace, 'isHeld' | 'mountOf'>;
  readonly driver: Pick<Driver, 'unmount'>;
  readonly config: MountConfig;
  readonly runtimeDirectory: string;
  readonly log: Logger;
}

/**
 * First unmounts an inherited mount that was made with other settings. Then looks for the inherited mount, and returns
 * it; undefined if nothing was inherited, or if fuse-native unmounted it to make a new one. If another process has
 * unmounted it, drops all descriptors of that mount, cleans up after it, and returns `gone`. Readers wait for this, so
 * one look at the table of mounts serves for all that follows.
 */
export async function findInherited(options: PredecessorOptions): Promise<Mount | 'gone' | undefined> {
  const { supervised, place, config, runtimeDirectory, log } = options;
  if (supervised.mount.other !== undefined) replaceOther(options);
  // With fuse-native a mount may be missing because the process of fuse-native, or the previous server,
  // unmounted it to make a new one. In that case the mark is not set.
  const mark = new MountMark(mountDirectory(config.cacheDir, supervised.mount.identity.id));
  const mount = inheritedMount(options);
  const isTakenAway =
    supervised.mount.device !== undefined
      ? mount === undefined
      : supervised.mount.isInherited && mark.isSet && !place.isHeld;
  if (!isTakenAway) return mount;
  mark.clear();
  supervised.mount.lost();
  await clearAway(config, runtimeDirectory, supervised.mount.identity.id, log);
  return 'gone';
}

/**
 * Tells the supervisor how long readers of the inherited mount may wait, and how to end their waiting. A supervisor that
 * inherited the mount itself, because the service was started again, does not know that.
 */
export function limitWaiting(
  { supervised }: Pick<PredecessorOptions, 'supervised'>,
  inherited: Mount | undefined,
): void {
  if (supervised.mount.isInherited) supervised.setTakeoverDeadline(inherited?.device.minor);
}

/** The mount of the predecessor, as the table of mounts shows it now. */
export function inheritedMount({
  supervised,
  place,
  config,
}: Pick<PredecessorOptions, 'supervised' | 'place' | 'config'>): Mount | undefined {
  return supervised.mount.isInherited ? place.mountOf(config.source) : undefined;
}

/** Whether the target has a mount that no process serves. Rejects with MountError if a process serves it. */
export async function isToBeReplaced(
  { config, runtimeDirectory }: Pick<PredecessorOptions, 'config' | 'runtimeDirectory'>,
  inherited: Mount | undefined,
): Promise<boolean> {
  // The server of the inherited mount may still be ending. This server replaces the mount anyway.
  if (inherited !== undefined) return true;
  return await isStale(config, runtimeDirectory);
}

export interface Left {
  /** What INIT agreed on for the inherited connection, if known. */
  readonly record: ConnectionRecord | undefined;
  /** Whether the inherited connection is resumed; otherwise a new mount is made. */
  readonly goesOn: boolean;
}

/** Decides whether the inherited connection can be resumed; libfuse cannot adopt one. */
export function lookAtLeft(
  { device, record }: Pick<KeptMount, 'device' | 'record'>,
  driver: Driver['name'],
  log: Logger,
): Left {
  if (device === undefined) return { record: undefined, goesOn: false };
  if (driver !== 'kernel') {
    log.warn(
      { event: 'other-driver', driver },
      'the previous server used another driver; the mount is made again',
    );
    return { record: undefined, goesOn: false };
  }
  if (record !== 'unusable') return { record, goesOn: true };
  log.warn({ event: 'unusable' }, 'the previous server was of another version; the mount is made again');
  return { record: undefined, goesOn: false };
}

function replaceOther({ supervised, driver, runtimeDirectory, log }: PredecessorOptions): void {
  const { other } = supervised.mount;
  if (other === undefined) return;
  const { id, source, target } = other;
  log.warn(
    { event: 'other-mount', source, target },
    'the settings now describe another mount; the old mount is removed',
  );
  if (isMountOf(topMountAt(readMounts(), target), source)) {
    // Detaches the mount without waiting for its readers, which will get no answer.
    driver.unmount(target, true);
  }
  supervised.startAfresh();
  removeRecordedSocket(mountRuntimeDirectory(runtimeDirectory, id));
  rmSync(mountRuntimeDirectory(runtimeDirectory, id), { recursive: true, force: true });
  rmSync(mountSocket(runtimeDirectory, id), { force: true });
}
