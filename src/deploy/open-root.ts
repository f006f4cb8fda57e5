import { findWay, type WayOptions } from '../store/store-way.ts';
import type { ProbedStore } from './probe.ts';
import type { ReleaseStore } from './release-store.ts';
import { S3ReleaseStore, WRITING_TIMEOUTS } from './s3-release-store.ts';
import { StoreClock } from './store-clock.ts';

export interface ReleaseRoot {
  readonly store: ReleaseStore;
  readonly probed: ProbedStore;
  readonly concurrency: number;
  /** What steps and collections go by. */
  readonly clock: StoreClock;
  close(): Promise<void>;
}

/** The way to a release root; nothing was sent yet. Rejects with SettingError or StoreError. */
export async function openReleaseRoot(
  options: WayOptions,
  environment: Readonly<Record<string, string | undefined>>,
  wallClock: () => number,
): Promise<ReleaseRoot> {
  const { target, credentials, transport } = await findWay(options, environment, WRITING_TIMEOUTS);
  const clock = new StoreClock(wallClock);
  const store = await S3ReleaseStore.open({ target, credentials, transport, clock });
  return {
    store,
    probed: { endpoint: target.endpoint, bucket: options.bucket },
    concurrency: options.concurrency,
    clock,
    close: async () => {
      store.close();
      await transport.close();
    },
  };
}
