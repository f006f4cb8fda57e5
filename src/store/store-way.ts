import type { CredentialsProvider } from './credentials.ts';
import { Transport } from './http/transport.ts';
import { readTransportSettings, type Timeouts, type TransportSettings } from './http/transport-settings.ts';
import type { ResolvedTarget } from './resolved-target.ts';
import { resolveTarget } from './sdk/resolve.ts';

/** How to reach a bucket, from a command's options. */
export interface WayOptions {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly endpointUrl: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly forcePathStyle: boolean | undefined;
  readonly signRequest: boolean;
  readonly requestPayer: boolean;
  readonly caFile: string | undefined;
  readonly concurrency: number;
}

/** A resolved bucket; nothing has been sent yet. */
export interface StoreWay {
  readonly settings: TransportSettings;
  readonly target: ResolvedTarget;
  readonly credentials: CredentialsProvider;
  readonly transport: Transport;
}

/** Rejects with SettingError or StoreError. */
export async function findWay(
  options: WayOptions,
  environment: Readonly<Record<string, string | undefined>>,
  timeouts?: Timeouts,
): Promise<StoreWay> {
  const { bucket, prefix, endpointUrl, region, profile, forcePathStyle, signRequest, requestPayer } = options;
  const { caFile, concurrency } = options;
  const settings = await readTransportSettings(
    { concurrency, ...(caFile !== undefined && { caFile }), ...(timeouts !== undefined && { timeouts }) },
    environment,
  );
  const transport = new Transport(settings);
  const { target, credentials } = await resolveTarget({
    bucket,
    prefix,
    transport,
    environment,
    anonymous: !signRequest,
    requestPayer,
    ...(endpointUrl !== undefined && { endpointUrl }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
  });
  return { settings, target, credentials, transport };
}
