import type { MountConfig } from '../config/mount-config.ts';
import type { StandbySetting } from '../config/standby-sources.ts';

/** Returns the configuration of a mount as if a standby source were its first source. */
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
    // Signatures name the root, so a standby source has the root name of the first source.
    releaseRoot: config.releaseRoot ?? config.source.replace(/\/$/, ''),
    standbys: [],
  };
}
