/** Milliseconds to wait for an answer, as long as the SDK waits. */
const WAIT_MS = 1_000;
const HOSTS = { IPv4: 'http://169.254.169.254', IPv6: 'http://[fd00:ec2::254]' } as const;
const TOKEN = '/latest/api/token';
const ROLES = '/latest/meta-data/iam/security-credentials/';

/**
 * The metadata service of this host requires a session token, but its answer with the token does not arrive,
 * because the answer has a TTL (the hop limit), which the network of a container uses up.
 */
export class LostSessionToken extends Error {
  override readonly name = 'LostSessionToken';
}

/**
 * Whether the metadata service answers 401 to a request without a session token, but sends no answer with a
 * token. Checked after the search for credentials has failed, because the SDK's own error is the same on a
 * host without the service.
 */
export async function isSessionTokenLost(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const disabled = environment.AWS_EC2_METADATA_DISABLED ?? 'false';
  if (disabled !== '' && disabled !== 'false') return false;
  const isIPv6 = environment.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE === 'IPv6';
  const origin = environment.AWS_EC2_METADATA_SERVICE_ENDPOINT || HOSTS[isIPv6 ? 'IPv6' : 'IPv4'];
  const [withoutToken, token] = await Promise.all([
    statusOf(origin, ROLES, { method: 'GET' }),
    statusOf(origin, TOKEN, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
    }),
  ]);
  return withoutToken === 401 && token === undefined;
}

/** Sends a request and returns the status of its answer; undefined if no answer came. */
async function statusOf(
  origin: string,
  path: string,
  init: { readonly method: string; readonly headers?: Record<string, string> },
): Promise<number | undefined> {
  try {
    const answer = await fetch(new URL(path, origin), {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(WAIT_MS),
    });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return undefined;
  }
}
