import { isReleaseId } from '../release/index.ts';
import type { SessionClient } from '../session/session-client.ts';
import { VersionDirectory } from '../state/version-directory.ts';
import { systemClock } from '../sync/system-clock.ts';
import { LoadedVersions } from './loaded-versions.ts';
import type { ServedMount } from './served-mount.ts';

/**
 * Opens the versions (earlier releases) that the mount shows beside the current tree, with those that an
 * earlier process stored. Returns undefined if the mount shows no versions.
 */
export async function openLoadedVersions(
  { config, id, places, options }: ServedMount,
  session: SessionClient,
  salt: bigint,
): Promise<LoadedVersions | undefined> {
  if (!config.versions) return undefined;
  const { log } = options;
  const directory = new VersionDirectory(places.cacheDirectory, id, log);
  const madeAt = await directory.madeAt(systemClock.now());
  return new LoadedVersions({
    directory,
    kept: await directory.read(isReleaseId, salt),
    madeAt,
    salt,
    keep: config.keepVersions,
    idleMs: config.versionIdleMs,
    deadlineMs: config.readDeadlineMs,
    session,
    clock: systemClock,
    log,
  });
}
