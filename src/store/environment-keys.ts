import type { CredentialsProvider } from './credentials.ts';
import type { CredentialsRecord } from './credentials-record.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns a provider of the keys in the environment. If no profile is named, the SDK's chain would take these
 * keys first, so the SDK need not be loaded.
 *
 * @returns undefined if the environment has no keys, or if a profile is named, which comes before them
 */
export function environmentKeys(
  profile: string | undefined,
  environment: Environment,
  record: CredentialsRecord,
): CredentialsProvider | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (profile !== undefined || !accessKeyId || !secretAccessKey) return undefined;
  const { AWS_SESSION_TOKEN: sessionToken, AWS_CREDENTIAL_EXPIRATION: expiration } = environment;
  const expiresAt = Date.parse(expiration ?? '');
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  return async () => {
    record.found({ origin: 'environment', expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt });
    return credentials;
  };
}
