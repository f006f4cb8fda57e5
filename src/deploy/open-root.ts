import { resolveTarget } from '../store/resolve.ts';
import { Transport } from '../store/transport.ts';
import { readTransportSettings } from '../store/transport-settings.ts';
import type { ProbedStore } from './probe.ts';
import type { ReleaseStore } from './release-store.ts';
import { S3ReleaseStore, WRITING_TIMEOUTS } from './s3-release-store.ts';

export interface OpenRootOptions {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly endpointUrl: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly forcePathStyle: boolean | undefined;
  readonly anonymous: boolean;
  readonly requestPayer: boolean;
  readonly caFile: string | undefined;
  readonly concurrency: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ReleaseRoot {
  readonly store: ReleaseStore;
  readonly probed: ProbedStore;
  readonly concurrency: number;
  close(): Promise<void>;
}

/** The way to a release root; nothing was sent yet. Rejects with SettingError or StoreError. */
export async function openReleaseRoot(options: OpenRootOptions): Promise<ReleaseRoot> {
  const { bucket, prefix, endpointUrl, region, profile, forcePathStyle, caFile, concurrency, environment } =
    options;
  const settings = await readTransportSettings(
    { concurrency, timeouts: WRITING_TIMEOUTS, ...(caFile !== undefined && { caFile }) },
    environment,
  );
  const transport = new Transport(settings);
  const { target, credentials } = await resolveTarget({
    bucket,
    prefix,
    transport,
    environment,
    anonymous: options.anonymous,
    requestPayer: options.requestPayer,
    ...(endpointUrl !== undefined && { endpointUrl }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
  });
  const store = await S3ReleaseStore.open({ target, credentials, transport });
  return {
    store,
    probed: { endpoint: target.endpoint, bucket },
    concurrency,
    close: async () => {
      store.close();
      await transport.close();
    },
  };
}
