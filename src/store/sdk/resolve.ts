import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { printable } from '../../base/printable.ts';
import { homeDirectory } from '../../base/user-entry.ts';
import { checkPlace } from '../check-store-settings.ts';
import type { CredentialsProvider } from '../credentials.ts';
import { CredentialsRecord } from '../credentials-record.ts';
import { environmentKeys } from '../environment-keys.ts';
import type { Transport } from '../http/transport.ts';
import { hasTenant, isAwsHost, type ResolvedTarget } from '../resolved-target.ts';
import { SettingError } from '../setting-error.ts';
import { type CapturedRequest, captureRequest } from './capture.ts';
import { plainRequest } from './plain-request.ts';
import { type ProcessProfile, processProfile } from './process-profile.ts';

export interface ResolveOptions {
  /** A bucket's name, `TENANT:BUCKET`, an access-point alias or an ARN. */
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /**
   * Undefined: the endpoint of AWS. The caller has read AWS's variables and files that set an endpoint,
   * because the mount's id is derived from the endpoint.
   */
  readonly endpointUrl?: string;
  /** Undefined: us-east-1. */
  readonly region?: string;
  /** --profile; else AWS_PROFILE, AWS_DEFAULT_PROFILE. */
  readonly profile?: string;
  /** --force-path-style; default: yes if the endpoint is not AWS's. */
  readonly forcePathStyle?: boolean;
  /** --no-sign-request */
  readonly anonymous?: boolean;
  /** --request-payer */
  readonly requestPayer?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The transport for finding credentials. */
  readonly transport: Transport;
  /** The AWS_PROFILE that all targets of the process share; default: that of this process. */
  readonly profileOfProcess?: ProcessProfile;
  /** Called with the SDK's warnings. */
  readonly warn?: (message: string) => void;
}

export interface Resolution {
  readonly target: ResolvedTarget;
  readonly credentials: CredentialsProvider;
  /** Where the credentials came from. Empty before the first request. */
  readonly found: CredentialsRecord;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** The region if none is set. AWS names the bucket's region in its first answer. */
const DEFAULT_REGION = 'us-east-1';

/**
 * Determines where a bucket is and how to sign requests for it. The AWS SDK is used for what only it knows,
 * and loaded only then. Uses no network, because the first request finds the credentials.
 *
 * @throws {SettingError} an invalid setting
 * @throws {StoreError} bad-request: an unsupported kind of bucket
 */
export async function resolveTarget(options: ResolveOptions): Promise<Resolution> {
  const environment = options.environment ?? process.env;
  const inProcess = options.profileOfProcess ?? processProfile;
  checkPlace(options);
  const named = environment === process.env ? inProcess.own : environment.AWS_PROFILE;
  const profile = (options.profile ?? named) || environment.AWS_DEFAULT_PROFILE || undefined;
  prepareEnvironment();
  if (environment === process.env) inProcess.add(profile);
  const region = options.region ?? DEFAULT_REGION;
  const config = configOf(options, profile, region);
  const captured =
    (await plainRequest({ ...options, region }, environment)) ??
    (await capture(await loadSdk(), config, options));
  refuseTenantInHost(captured, options);
  const found = new CredentialsRecord();
  return {
    target: targetOf(captured, options),
    found,
    credentials:
      environmentKeys(profile, environment, found) ??
      providedBy(async () => {
        const sdk = await loadSdk();
        const { sdkCredentials } = await import('./credentials.ts');
        const { transport } = options;
        return sdkCredentials({
          sdk,
          config,
          insists: options.profile !== undefined,
          transport,
          record: found,
        });
      }),
  };
}

function configOf(options: ResolveOptions, profile: string | undefined, region: string): S3ClientConfig {
  return {
    ...(profile !== undefined && { profile }),
    ...(options.endpointUrl !== undefined && { endpoint: options.endpointUrl }),
    // The SDK would otherwise look up the endpoint itself, in other places than this mount's configuration
    // does.
    ignoreConfiguredEndpointUrls: true,
    // Without a region the SDK would also ask the instance metadata service, which takes a second on a host
    // that has none.
    region,
    logger: loggerOf(options.warn),
  };
}

/** Returns a provider that calls `open` when credentials are first needed, and again if `open` failed. */
function providedBy(open: () => Promise<CredentialsProvider>): CredentialsProvider {
  let opening: Promise<CredentialsProvider> | undefined;
  return async (options) => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return (await opening)(options);
  };
}

/** Loads the SDK, which takes 0.1 s of CPU and 16 MiB. */
function loadSdk(): Promise<Sdk> {
  return import('@aws-sdk/client-s3');
}

/** Sets the variables that the SDK reads only from the environment of this process. */
function prepareEnvironment(): void {
  // The SDK's version is pinned here; its warnings about future versions do not concern users.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  // The SDK looks up the home directory before it reads any file. It fails if there is none, as for a uid
  // without a passwd entry.
  if (homeDirectory() === undefined) process.env.HOME = '/nonexistent';
}

/**
 * Captures the SDK's request. Outside of AWS, path style is the default, because few stores have a name in
 * the DNS for each bucket.
 */
async function capture(
  sdk: Sdk,
  config: S3ClientConfig,
  { bucket, forcePathStyle }: ResolveOptions,
): Promise<CapturedRequest> {
  const captured = await captureRequest(sdk, { ...config, forcePathStyle: forcePathStyle ?? false }, bucket);
  if (forcePathStyle !== undefined || isAwsHost(captured.hostname) || bucket.startsWith('arn:'))
    return captured;
  return captureRequest(sdk, { ...config, forcePathStyle: true }, bucket);
}

function targetOf(captured: CapturedRequest, options: ResolveOptions): ResolvedTarget {
  const { protocol, hostname, port, path, region, service } = captured;
  const { origin, host } = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
  const basePath = path.endsWith('/') ? path : `${path}/`;
  return {
    bucket: options.bucket,
    prefix: options.prefix,
    origin,
    host,
    basePath,
    region,
    service,
    endpoint: isAwsHost(hostname) ? 'aws' : endpointOf(origin, basePath, options.bucket),
    requestPayer: options.requestPayer ?? false,
    anonymous: options.anonymous ?? false,
  };
}

/**
 * Returns the endpoint without the bucket, which is the first label of the host or the last part of the path.
 */
function endpointOf(origin: string, basePath: string, bucket: string): string {
  const parts = basePath.split('/').slice(1, -1);
  if (parts.at(-1) === encodeURIComponent(bucket)) {
    return [origin, ...parts.slice(0, -1)].join('/');
  }
  return [origin.replace(`//${bucket}.`, '//'), ...parts].join('/');
}

function loggerOf(warn: ((message: string) => void) | undefined): NonNullable<S3ClientConfig['logger']> {
  const nothing = (): void => undefined;
  return {
    debug: nothing,
    info: nothing,
    warn: (...said: unknown[]) => warn?.(printable(words(said), 500)),
    error: nothing,
  };
}

function words(said: readonly unknown[]): string {
  return said
    .filter((word) => typeof word === 'string')
    .join(' ')
    .trim()
    .replace(/\s+/g, ' ');
}

/**
 * Refuses a bucket with a tenant in the host name or at AWS. A Ceph Object Gateway takes `TENANT:BUCKET` as
 * the first part of the path, with its colon encoded, also in the signature. A host name cannot contain a
 * colon, and AWS has no tenants.
 */
function refuseTenantInHost({ hostname }: CapturedRequest, { bucket, forcePathStyle }: ResolveOptions): void {
  if (!hasTenant(bucket)) return;
  if (isAwsHost(hostname)) {
    throw new SettingError(
      'bad-setting',
      `${bucket} names a tenant, and AWS has none`,
      'Set --endpoint-url to the address of the Ceph Object Gateway, or omit the part before the colon.',
    );
  }
  if (forcePathStyle !== false) return;
  throw new SettingError(
    'bad-setting',
    `${bucket} names a tenant, which can stand in the path of requests and not in the host`,
    'Use --force-path-style, and remove addressing_style = virtual from the profile.',
  );
}
