import { type AccessOptions, findAccess } from '../store/store-access.ts';
import { StoreClock } from '../store/store-clock.ts';
import type { ProbedStore } from './probe.ts';
import type { ReleaseStore } from './release-store.ts';
import { S3ReleaseStore, WRITING_TIMEOUTS } from './s3-release-store.ts';

export interface ReleaseRoot {
  readonly store: ReleaseStore;
  readonly probed: ProbedStore;
  readonly concurrency: number;
  /**
   * The store's time, in milliseconds since the epoch, which steps and collections use instead of this
   * host's.
   */
  readonly now: () => number;
  /** Milliseconds by which the store's clock is ahead of this host's; negative if it is behind. */
  readonly clockOffset: () => number;
  close(): Promise<void>;
}

/** The clock of this host. */
export interface RootTime {
  /** Milliseconds since the epoch. */
  wallClock(): number;
  /** Resolves early if the signal is aborted. */
  delay(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Opens a release root without sending a request. Rejects with SettingError or StoreError. */
export async function openReleaseRoot(
  options: AccessOptions,
  environment: Readonly<Record<string, string | undefined>>,
  time: RootTime,
): Promise<ReleaseRoot> {
  const { places, transport } = await findAccess(options, environment, WRITING_TIMEOUTS);
  // A writer uses only the first endpoint: conditional writes hold only within one store.
  const [{ target, credentials }] = places;
  const clock = new StoreClock();
  const store = await S3ReleaseStore.open({
    target,
    credentials,
    transport,
    dates: { wallClock: () => time.wallClock(), observe: (answer) => clock.observe(answer) },
    delay: (ms, signal) => time.delay(ms, signal),
  });
  return {
    store,
    probed: { endpoint: target.endpoint, bucket: options.bucket },
    concurrency: options.concurrency,
    now: () => time.wallClock() + clock.offset,
    clockOffset: () => clock.offset,
    close: async () => {
      store.close();
      await transport.close();
    },
  };
}
