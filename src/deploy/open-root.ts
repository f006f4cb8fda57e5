import { findWay, type WayOptions } from '../store/store-way.ts';
import type { ProbedStore } from './probe.ts';
import type { ReleaseStore } from './release-store.ts';
import { S3ReleaseStore, WRITING_TIMEOUTS } from './s3-release-store.ts';

export interface ReleaseRoot {
  readonly store: ReleaseStore;
  readonly probed: ProbedStore;
  readonly concurrency: number;
  close(): Promise<void>;
}

/** The way to a release root; nothing was sent yet. Rejects with SettingError or StoreError. */
export async function openReleaseRoot(
  options: WayOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ReleaseRoot> {
  const { target, credentials, transport } = await findWay(options, environment, WRITING_TIMEOUTS);
  const store = await S3ReleaseStore.open({ target, credentials, transport });
  return {
    store,
    probed: { endpoint: target.endpoint, bucket: options.bucket },
    concurrency: options.concurrency,
    close: async () => {
      store.close();
      await transport.close();
    },
  };
}
