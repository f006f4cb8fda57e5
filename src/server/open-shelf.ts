import { isReleaseId } from '../release/index.ts';
import type { SessionClient } from '../session/session-client.ts';
import { VersionDirectory } from '../state/version-directory.ts';
import { systemClock } from '../sync/system-clock.ts';
import type { ServedMount } from './served-mount.ts';
import { VersionShelf } from './version-shelf.ts';

/** The versions that are shown beside the current tree, with those that were kept; undefined: none are shown. */
export async function openShelf(
  { config, id, places, options }: ServedMount,
  session: SessionClient,
  salt: bigint,
): Promise<VersionShelf | undefined> {
  if (!config.versions) return undefined;
  const { log } = options;
  const directory = new VersionDirectory(places.cacheDirectory, id, log);
  const madeAt = await directory.madeAt(systemClock.now());
  return new VersionShelf({
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
