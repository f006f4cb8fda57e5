import type { MountConfig } from '../../config/mount-config.ts';
import { ignoredSettings } from '../../store/http/proxy-settings.ts';
import { findWay, type StorePlace, type StoreWay } from '../../store/store-way.ts';

export { S3Store } from '../../store/s3-store.ts';

/** How to reach the bucket that a configuration names, at its first endpoint. No request was sent yet. */
export interface StoreConnection extends StoreWay, StorePlace {
  /** Settings that have no effect. */
  readonly ignored: ReturnType<typeof ignoredSettings>;
}

/** Rejects with SettingError or StoreError. */
export async function connectStore(config: MountConfig): Promise<StoreConnection> {
  const way = await findWay(config, process.env);
  return { ...way, ...way.places[0], ignored: ignoredSettings(way.settings.proxies) };
}
