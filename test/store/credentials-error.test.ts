import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Transport } from '../../src/store/http/transport.ts';
import { credentialsError } from '../../src/store/sdk/credentials-error.ts';
import { resolveTarget } from '../../src/store/sdk/resolve.ts';
import type { StoreError } from '../../src/store/store-error.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { HOSTILE_TEXT, leftRaw } from '../support/hostile-text.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { FakeStore } from './fake-store.ts';
import { failureOf, settingsOf } from './open-store.ts';

interface Case {
  readonly variables?: Readonly<Record<string, string>>;
  readonly config?: string;
  readonly profile?: string;
}

/** The error of the search for credentials, with only these AWS settings. `HERE` in a text stands for its directory. */
async function searched(t: Cleanup, { variables = {}, config = '', profile }: Case): Promise<StoreError> {
  const directory = await temporaryDirectory(t);
  const here = (text: string): string => text.replaceAll('HERE', directory);
  await writeFile(join(directory, 'config'), here(config));
  setAwsEnvironment(t, {
    HOME: directory,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    // In place of the instance metadata service, the last provider, which the error should not be about.
    AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
    AWS_MAX_ATTEMPTS: '1',
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, here(value)])),
  });
  const transport = new Transport(settingsOf());
  defer(t, () => transport.close());
  const { credentials } = await resolveTarget({
    bucket: 'bucket',
    prefix: '',
    transport,
    ...(profile !== undefined && { profile }),
  });
  const failure = await failureOf(credentials());
  assert.doesNotMatch(`${failure.message} ${failure.hint} ${failure.cause}`, /hush/);
  assert.deepEqual(leftRaw(`${failure.message}${failure.hint}`), []);
  return failure;
}

const ROLE = 'role_arn = arn:aws:iam::123456789012:role/reader';

describe('credentials that cannot be had', () => {
  test("say that the container's agent is down, and not which hosts another provider knows", async (t) => {
    const variables = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.2:1/v1/hush' };
    const failure = await searched(t, { variables });
    assert.equal(failure.code, 'unreachable');
    assert.equal(failure.retryable, true);
    assert.match(failure.message, /credentials agent of this container at 127\.0\.0\.2:1: .*ECONNREFUSED/);
    assert.match(failure.hint, /AWS_CONTAINER_CREDENTIALS_FULL_URI/);
    assert.doesNotMatch(failure.message, /valid container metadata service hostname/);
  });

  test("say what the container's agent refused", async (t) => {
    const fake = await FakeStore.start(t, () => ({
      status: 403,
      body: JSON.stringify({ Code: 'AccessDeniedException', Message: `no association ${HOSTILE_TEXT}` }),
    }));
    const variables = { AWS_CONTAINER_CREDENTIALS_FULL_URI: fake.origin };
    const failure = await searched(t, { variables });
    assert.equal(failure.code, 'denied');
    assert.match(failure.message, /403.*AccessDeniedException: no association/);
    assert.match(failure.hint, /association/);
  });

  test('say that the token of the agent cannot be read', async (t) => {
    const variables = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.2:1/',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/nowhere/token',
    };
    const failure = await searched(t, { variables });
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /token file .*ENOENT/);
  });

  test('say so of the agent that a profile names as its source', async (t) => {
    const failure = await searched(t, {
      profile: 'team',
      config: `[profile team]\n${ROLE}\ncredential_source = EcsContainer\n`,
      variables: { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.2:1/' },
    });
    assert.match(failure.message, /at 127\.0\.0\.2:1: .*ECONNREFUSED/);
  });

  test('name the web identity token file that is missing', async (t) => {
    const failure = await searched(t, {
      variables: {
        AWS_WEB_IDENTITY_TOKEN_FILE: 'HERE/token',
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r',
      },
    });
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /web identity token file \S+\/token cannot be read \(ENOENT\)/);
    assert.match(failure.hint, /AWS_WEB_IDENTITY_TOKEN_FILE/);
  });

  test('name the variable that a web identity lacks', async (t) => {
    const failure = await searched(t, { variables: { AWS_WEB_IDENTITY_TOKEN_FILE: 'HERE/token' } });
    assert.match(failure.message, /AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not/);
  });

  test('name the profile whose process failed, and nothing of its command or its words', async (t) => {
    const failure = await searched(t, {
      profile: 'team',
      config: '[profile team]\ncredential_process = sh -c "echo hush >&2; exit 1" hush\n',
    });
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /credential_process of profile team failed/);
    assert.match(failure.hint, /by hand/);
  });

  const SSO =
    '[profile team]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n';
  test('say to sign in where an SSO session was never begun', async (t) => {
    const failure = await searched(t, { profile: 'team', config: SSO });
    assert.equal(failure.code, 'expired');
    assert.match(failure.hint, /aws sso login --profile team/);
  });

  test('say to sign in where an SSO session has expired, and keep its token', async (t) => {
    const token = JSON.stringify({ accessToken: 'hush', expiresAt: '2020-01-01T00:00:00Z' });
    const failure = await searched(t, {
      profile: 'team',
      config: SSO,
      variables: { HOME: await homeWithToken(t, 'corp', token) },
    });
    assert.equal(failure.code, 'expired');
    assert.match(failure.message, /profile team: its SSO session has expired/);
  });

  test('name the source profile that a role lacks', async (t) => {
    const failure = await searched(t, {
      profile: 'team',
      config: `[profile team]\n${ROLE}\nsource_profile = gone\n`,
    });
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /profile team: .*gone/);
  });

  test('are not those of the host where --profile names a profile that is nowhere', async (t) => {
    const failure = await searched(t, { profile: 'nobody' });
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /neither of AWS's files has the profile nobody/);
  });

  test('say that nothing is configured, where the instance metadata service was the last to be asked', async (t) => {
    const failure = await searched(t, {});
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /none are configured, and the instance metadata service/);
    assert.match(failure.hint, /AWS_ACCESS_KEY_ID/);
  });

  test('tell of a hop limit that is too low, where the answer with the session token of the metadata service is lost', async (t) => {
    const asked: string[] = [];
    // All requests reach the service, but only answers without a hop limit come back.
    const service = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.method !== 'PUT') response.writeHead(401).end();
    });
    await new Promise<void>((listening) => service.listen(0, '127.0.0.1', listening));
    defer(t, () => {
      service.closeAllConnections();
      service.close();
    });
    const { port } = service.address() as AddressInfo;
    const failure = await searched(t, {
      variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` },
    });
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.message, /IMDSv2.* does not arrive/);
    assert.match(failure.hint, /--http-put-response-hop-limit 2/);
    // The search waits one second for each PUT, so it lasts two seconds.
    assert.equal(asked.filter((request) => request.startsWith('PUT')).length, 2, asked.join(', '));
    assert.ok(asked.length <= 4, asked.join(', '));
  });

  test('say that nothing is configured where the metadata service gives tokens, and has no role', async (t) => {
    const fake = await FakeStore.start(t, ({ headers, method }) => {
      if (method === 'PUT') return { status: 200, body: 'session' };
      return { status: headers['x-aws-ec2-metadata-token'] === 'session' ? 404 : 401 };
    });
    const failure = await searched(t, { variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: fake.origin } });
    assert.match(failure.message, /none are configured/);
  });

  test('tell of the EKS Pod Identity agent by its name', () => {
    const refused = new Error('Error: connect ECONNREFUSED 169.254.170.23:80');
    const failure = credentialsError(refused, { kind: 'container', host: '169.254.170.23' });
    assert.match(
      failure.message,
      /the EKS Pod Identity agent at 169\.254\.170\.23: connect ECONNREFUSED 169\.254\.170\.23:80$/,
    );
    assert.match(failure.hint, /eks-pod-identity-agent/);
    assert.equal(failure.retryable, true);
  });
});

/** A home directory with a token in the cache of SSO. */
async function homeWithToken(t: Cleanup, session: string, token: string): Promise<string> {
  const home = await temporaryDirectory(t);
  const cache = join(home, '.aws/sso/cache');
  await mkdir(cache, { recursive: true });
  const name = createHash('sha1').update(session).digest('hex');
  await writeFile(join(cache, `${name}.json`), token);
  return home;
}
