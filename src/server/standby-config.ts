import type { MountConfig } from '../config/mount-config.ts';
import type { StandbySetting } from '../config/standby-sources.ts';

/** The configuration of a mount, as if a standby was its first source. */
export function standbyConfig(setting: StandbySetting, config: MountConfig): MountConfig {
  const { bucket, prefix, source, endpoint, region, profile } = setting;
  return {
    ...config,
    bucket,
    prefix,
    source,
    endpoints: [endpoint],
    region,
    profile: profile ?? config.profile,
    forcePathStyle: undefined,
    watchKey: undefined,
    // A standby keeps the root of the first source, which signatures name.
    releaseRoot: config.releaseRoot ?? config.source.replace(/\/$/, ''),
    standbys: [],
  };
}
