import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { CredentialsProvider } from '../credentials.ts';
import type { CredentialsOrigin, CredentialsRecord } from '../credentials-record.ts';
import type { Transport } from '../http/transport.ts';
import { type ConfiguredProvider, configuredProvider, hasProfile } from './configured-provider.ts';
import { credentialsError } from './credentials-error.ts';
import { isSessionTokenLost, LostSessionToken } from './instance-metadata.ts';
import { sdkRequestHandler } from './transport.ts';

export interface SdkCredentialsOptions {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  /** Region, profile and logger. */
  readonly config: S3ClientConfig;
  /**
   * Whether the user named the profile to dagmount explicitly: then no other identity may replace the
   * profile.
   */
  readonly insists: boolean;
  readonly transport: Transport;
  /** Records where credentials came from. */
  readonly record: CredentialsRecord;
}

/**
 * Returns a provider that asks the SDK's default chain: SSO, files, process, web identity, container,
 * instance. The chain is not asked for keys in the environment: see ../environment-keys.ts.
 */
export function sdkCredentials(options: SdkCredentialsOptions): CredentialsProvider {
  const { config, insists, record } = options;
  const { profile } = config;
  let client: S3Client | undefined;
  /** A client whose credentials have not arrived yet. Concurrent calls share the client. */
  let next: S3Client | undefined;
  /** The access key id of the last credentials. */
  let known: string | undefined;
  let origin: CredentialsOrigin = 'environment';
  return async ({ renew = false } = {}) => {
    // The client is created anew if the store refused the credentials, because the SDK keeps static
    // credentials for ever, and caches files.
    let asked = renew ? undefined : client;
    if (asked === undefined) {
      if (insists && profile !== undefined && !(await hasProfile(profile))) {
        throw credentialsError(undefined, { kind: 'missing-profile', profile });
      }
      next ??= clientOf(options);
      asked = next;
    }
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await asked.config.credentials();
      // The new client replaces the old one only now, because credentials that one service refused are better
      // than none.
      client = asked;
      if (accessKeyId !== known) {
        known = accessKeyId;
        origin = await originOf(profile);
      }
      record.found({ origin, expiresAt: expiration?.getTime() });
      return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    } catch (error) {
      const provider = await configuredProvider(profile, process.env);
      throw credentialsError(await ownError(provider, error, asked), provider);
    } finally {
      if (next === asked) next = undefined;
    }
  };
}

function clientOf({ sdk, config, transport }: SdkCredentialsOptions): S3Client {
  const uncached = { ignoreCache: true };
  return new sdk.S3Client({
    ...config,
    // Without a profile, the SDK would read AWS_PROFILE at any later moment. With a profile, it does not look
    // for keys in the environment, which is right: dagmount reads these keys itself.
    profile: config.profile ?? 'default',
    ...uncached,
    requestHandler: sdkRequestHandler(transport),
  });
}

/**
 * Returns the error of the configured provider. The chain continues after most errors and ends with the error
 * of another provider. For example, if a container's agent is down, it ends with the error of the provider
 * before, which does not support EKS agents. So the configured provider alone is called once more.
 */
async function ownError(provider: ConfiguredProvider, last: unknown, client: S3Client): Promise<unknown> {
  // Any other error is one of a service, the network or a file: it is the provider's own, and the chain
  // stopped there.
  const isOfChain = (last as { readonly name?: unknown }).name === 'CredentialsProviderError';
  if (!isOfChain && provider.kind !== 'container') return last;
  if (provider.kind === 'instance' && (await isSessionTokenLost(process.env))) return new LostSessionToken();
  try {
    if (provider.kind === 'container') {
      const { fromHttp } = await import('@aws-sdk/credential-provider-http');
      await fromHttp({ maxRetries: 0, logger: client.config.logger })();
    } else if (provider.kind === 'profile') {
      const { fromIni } = await import('@aws-sdk/credential-provider-ini');
      const { profile } = provider;
      await fromIni({ profile, ignoreCache: true, logger: client.config.logger })({
        callerClientConfig: client.config,
      });
    }
  } catch (error) {
    return error;
  }
  return last;
}

/**
 * Returns the origin of the credentials that the SDK found. It is never the environment: see
 * ../environment-keys.ts.
 */
async function originOf(profile: string | undefined): Promise<CredentialsOrigin> {
  const { kind } = await configuredProvider(profile, process.env);
  // These two give no credentials, so the credentials came from the last provider of the chain.
  return kind === 'missing-profile' || kind === 'half-web-identity' ? 'instance' : kind;
}
