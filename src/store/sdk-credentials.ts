import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { printable } from '../base/printable.ts';
import type { CredentialsProvider } from './credentials.ts';
import { codeOfFailure, codeOfS3 } from './error-codes.ts';
import { sdkRequestHandler } from './sdk-transport.ts';
import { StoreError } from './store-error.ts';
import type { Transport } from './transport.ts';

export interface SdkCredentialsOptions {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  /** Region, profile and logger. */
  readonly config: S3ClientConfig;
  readonly transport: Transport;
}

const MEND_MISSING =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or ~/.aws/credentials, give this host a role, ' +
  'or use --no-sign-request for a public bucket.';

/** The SDK's default chain: environment, SSO, files, process, web identity, container, instance. */
export function sdkCredentials(options: SdkCredentialsOptions): CredentialsProvider {
  let client: S3Client | undefined;
  return async ({ renew = false } = {}) => {
    // Made anew where the store refused what was found: static credentials are kept for good, and files cached.
    if (client === undefined || renew) client = clientOf(options);
    try {
      const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
      return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    } catch (error) {
      throw credentialsError(error, options.config.profile);
    }
  };
}

function clientOf({ sdk, config, transport }: SdkCredentialsOptions): S3Client {
  const uncached = { ignoreCache: true };
  return new sdk.S3Client({ ...config, ...uncached, requestHandler: sdkRequestHandler(transport) });
}

/**
 * What the search for credentials failed with. Names and codes decide; messages are only passed on. The cause is not:
 * it may carry what was found.
 */
function credentialsError(error: unknown, profile: string | undefined): StoreError {
  const { name, code, $metadata } = error as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const detail = profile === undefined ? words(error) : `profile ${printable(profile, 100)}: ${words(error)}`;
  if (name === 'TokenProviderError') {
    return new StoreError('expired', detail, 'Sign in again (aws sso login).', false);
  }
  if ($metadata?.httpStatusCode !== undefined && typeof name === 'string') {
    const refused = codeOfS3(name.replace(/Exception$/, ''), $metadata.httpStatusCode);
    const down = refused === 'unreachable' || refused === 'throttled';
    const kind = down || refused === 'expired' ? refused : 'denied';
    const mend = 'Check the role, its trust policy and the profile that names it.';
    return new StoreError(kind, `${name}: ${detail}`, mend, down);
  }
  if (typeof code === 'string') {
    const kind = codeOfFailure(code);
    const mend = 'Check that this host reaches the service that gives its credentials (STS, SSO).';
    return new StoreError(kind, `looking for credentials: ${detail}`, mend, kind === 'unreachable');
  }
  return new StoreError('no-credentials', detail, MEND_MISSING, false);
}

/** credential_process puts its whole command line into the message, which may hold a secret. */
function words(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return printable(message.startsWith('Command failed') ? 'credential_process failed' : message, 300);
}
