import type { MountConfig } from '../../config/mount-config.ts';
import type { CredentialsProvider } from '../../store/credentials.ts';
import { ignoredSettings } from '../../store/proxy-settings.ts';
import { resolveTarget } from '../../store/resolve.ts';
import type { ResolvedTarget } from '../../store/resolved-target.ts';
import { Transport } from '../../store/transport.ts';
import { readTransportSettings, type TransportSettings } from '../../store/transport-settings.ts';

export { S3Store } from '../../store/s3-store.ts';

/** The way to the bucket that a configuration names; nothing was sent yet. */
export interface StoreConnection {
  readonly settings: TransportSettings;
  readonly target: ResolvedTarget;
  readonly credentials: CredentialsProvider;
  readonly transport: Transport;
  /** What was set and has no effect. */
  readonly ignored: ReturnType<typeof ignoredSettings>;
}

/** Rejects with SettingError or StoreError. */
export async function connectStore(config: MountConfig): Promise<StoreConnection> {
  const { bucket, prefix, endpointUrl, region, profile, forcePathStyle, signRequest, requestPayer } = config;
  const { caFile, concurrency } = config;
  const settings = await readTransportSettings(
    { concurrency, ...(caFile !== undefined && { caFile }) },
    process.env,
  );
  const transport = new Transport(settings);
  const { target, credentials } = await resolveTarget({
    bucket,
    prefix,
    transport,
    anonymous: !signRequest,
    requestPayer,
    ...(endpointUrl !== undefined && { endpointUrl }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
  });
  return { settings, target, credentials, transport, ignored: ignoredSettings(settings.proxies) };
}
