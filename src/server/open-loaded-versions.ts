import { isReleaseId } from '../release/index.ts';
import type { SessionClient } from '../session/session-client.ts';
import { VersionDirectory } from '../state/version-directory.ts';
import { systemClock } from '../sync/system-clock.ts';
import { LoadedVersions } from './loaded-versions.ts';
import type { ServedMount } from './served-mount.ts';

/** The versions that are shown beside the current tree, with those that were kept; undefined: none are shown. */
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
