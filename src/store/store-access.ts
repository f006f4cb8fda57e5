import type { Endpoint, Endpoints } from '../base/store-endpoints.ts';
import type { CredentialsProvider } from './credentials.ts';
import type { CredentialsRecord } from './credentials-record.ts';
import { Transport } from './http/transport.ts';
import { readTransportSettings, type Timeouts, type TransportSettings } from './http/transport-settings.ts';
import type { ResolvedTarget } from './resolved-target.ts';
import { resolveTarget } from './sdk/resolve.ts';

/** How to reach a bucket, from a command's options. */
export interface AccessOptions {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly endpoints: Endpoints;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly forcePathStyle: boolean | undefined;
  readonly signRequest: boolean;
  readonly requestPayer: boolean;
  readonly caFile: string | undefined;
  readonly concurrency: number;
}

/** A bucket at one endpoint. */
export interface StorePlace {
  readonly target: ResolvedTarget;
  readonly credentials: CredentialsProvider;
  readonly found: CredentialsRecord;
}

/** A bucket, resolved at each of its endpoints; nothing has been sent yet. */
export interface StoreAccess {
  readonly settings: TransportSettings;
  readonly transport: Transport;
  /** In the order of the endpoints. */
  readonly places: readonly [first: StorePlace, ...others: readonly StorePlace[]];
}

/** Resolves a bucket at each of its endpoints. Rejects with SettingError or StoreError. */
export async function findAccess(
  options: AccessOptions,
  environment: Readonly<Record<string, string | undefined>>,
  timeouts?: Timeouts,
): Promise<StoreAccess> {
  const { caFile, concurrency, endpoints } = options;
  const settings = await readTransportSettings(
    { concurrency, ...(caFile !== undefined && { caFile }), ...(timeouts !== undefined && { timeouts }) },
    environment,
  );
  const transport = new Transport(settings);
  const [first, ...others] = endpoints;
  const placeAt = (endpoint: Endpoint): Promise<StorePlace> =>
    resolvePlace(endpoint, options, transport, environment);
  return {
    settings,
    transport,
    places: [await placeAt(first), ...(await Promise.all(others.map(placeAt)))],
  };
}

function resolvePlace(
  endpoint: Endpoint,
  options: AccessOptions,
  transport: Transport,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<StorePlace> {
  const { bucket, prefix, region, profile, forcePathStyle, signRequest, requestPayer } = options;
  return resolveTarget({
    bucket,
    prefix,
    transport,
    environment,
    anonymous: !signRequest,
    requestPayer,
    ...(endpoint !== undefined && { endpointUrl: endpoint }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
  });
}
