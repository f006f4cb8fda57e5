import type { MountConfig } from '../../config/mount-config.ts';
import { ignoredSettings } from '../../store/http/proxy-settings.ts';
import { findAccess, type StoreAccess, type StorePlace } from '../../store/store-access.ts';

export { S3Store } from '../../store/s3-store.ts';

/**
 * How to reach the bucket that a configuration names, at the first of its endpoints. No request was sent to
 * the store yet.
 */
export interface StoreConnection extends StoreAccess, StorePlace {
  /** Settings that have no effect. */
  readonly ignored: ReturnType<typeof ignoredSettings>;
}

/** Finds out how to reach the configured bucket. Rejects with SettingError or StoreError. */
export async function connectStore(config: MountConfig): Promise<StoreConnection> {
  const access = await findAccess(config, process.env);
  return { ...access, ...access.places[0], ignored: ignoredSettings(access.settings.proxies) };
}
