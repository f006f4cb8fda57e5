import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parseS3Address } from '../../src/config/s3-address.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { resolveTarget } from '../../src/store/sdk/resolve.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { defer } from '../support/temporary.ts';
import { FakeStore } from './fake-store.ts';
import { failureOf, settingsOf } from './open-store.ts';
import { inEnvironment, KEYS, resolve } from './resolving.ts';

/** Sets the environment of a pod with a web identity, and with this STS. */
async function inWebIdentity(t: TestContext, sts: string): Promise<void> {
  const tokenFile = join(await inEnvironment(t, {}), 'token');
  await writeFile(tokenFile, 'the-web-identity');
  Object.assign(process.env, {
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
    AWS_ENDPOINT_URL_STS: sts,
  });
}

describe('credentials', () => {
  test('come from the environment', async (t) => {
    await inEnvironment(t, { ...KEYS, AWS_SESSION_TOKEN: 'token' });
    const { credentials } = await resolve(t, 's3://bucket');
    assert.deepEqual(await credentials(), {
      accessKeyId: 'AKID',
      secretAccessKey: 'hush',
      sessionToken: 'token',
    });
  });

  test('of the environment are given with their origin and their end', async (t) => {
    await inEnvironment(t, { ...KEYS, AWS_CREDENTIAL_EXPIRATION: '2030-01-01T00:00:00Z' });
    const { credentials, found } = await resolve(t, 's3://bucket');
    await credentials();
    assert.deepEqual(found.last, { origin: 'environment', expiresAt: Date.parse('2030-01-01T00:00:00Z') });
  });

  test('of a profile come before those of the environment', async (t) => {
    const credentials = '[team]\naws_access_key_id = TEAM\naws_secret_access_key = hush\n';
    await inEnvironment(t, { ...KEYS, AWS_PROFILE: 'team' }, { credentials });
    const resolution = await resolve(t, 's3://bucket');
    assert.equal((await resolution.credentials()).accessKeyId, 'TEAM');
  });

  test('come from the files, by profile, and from the changed files where the store refused the old ones', async (t) => {
    const file = (key: string): string =>
      `[team]\naws_access_key_id = ${key}\naws_secret_access_key = hush\n`;
    const directory = await inEnvironment(t, {}, { credentials: file('OLD') });
    const { credentials } = await resolve(t, 's3://bucket', { profile: 'team' });
    assert.equal((await credentials()).accessKeyId, 'OLD');
    await writeFile(join(directory, 'credentials'), file('NEW'));
    assert.equal((await credentials()).accessKeyId, 'OLD');
    assert.equal((await credentials({ renew: true })).accessKeyId, 'NEW');
    assert.equal((await credentials()).accessKeyId, 'NEW');
  });

  test('that are nowhere are missing, and the error says where to put them', async (t) => {
    await inEnvironment(t, {});
    const { credentials } = await resolve(t, 's3://bucket');
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.hint, /AWS_ACCESS_KEY_ID.*AWS_PROFILE.*--no-sign-request/);
  });

  test('of a profile that does not exist are missing, and the error names it', async (t) => {
    await inEnvironment(t, {});
    const { credentials } = await resolve(t, 's3://bucket', { profile: 'nobody' });
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'no-credentials');
    assert.match(failure.detail, /nobody/);
  });

  test('of a command that fails are missing, and its command line is not repeated', async (t) => {
    const directory = await inEnvironment(t, {}, {});
    const command = join(directory, 'give');
    await writeFile(command, '#!/bin/sh\nexit 1\n');
    await chmod(command, 0o755);
    await writeFile(
      join(directory, 'config'),
      `[profile team]\ncredential_process = ${command} --password hush\n`,
    );
    const { credentials } = await resolve(t, 's3://bucket', { profile: 'team' });
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'no-credentials');
    assert.doesNotMatch(`${failure.message} ${failure.hint} ${failure.cause}`, /hush/);
  });

  test('are looked for by web identity, over the same transport as requests', async (t) => {
    const fake = await FakeStore.start(t, () => ({
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>
        <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
        </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    }));
    await inWebIdentity(t, 'http://sts.dagmount.invalid');
    // The name cannot be resolved; only the transport's proxy reaches it.
    const transport = new Transport(settingsOf({ proxies: { http: fake.origin, https: undefined, no: '' } }));
    defer(t, () => transport.close());
    const { credentials } = await resolveTarget({ ...parseS3Address('s3://bucket'), transport });
    assert.deepEqual(await credentials(), {
      accessKeyId: 'ROLE',
      secretAccessKey: 'hush',
      sessionToken: 'token',
    });
    assert.equal(fake.requests.length, 1);
  });

  test('of a role come from the service that the profile itself names, by the keys of its source profile', async (t) => {
    const fake = await FakeStore.start(t, () => ({
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
        <AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    }));
    await inEnvironment(
      t,
      { AWS_ACCESS_KEY_ID: 'ENVIRONMENT', AWS_SECRET_ACCESS_KEY: 'hush' },
      {
        config: [
          '[default]\nendpoint_url = http://127.0.0.1:1',
          '[profile base]\naws_access_key_id = BASE\naws_secret_access_key = hush',
          '[profile team]\nrole_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\nregion = eu-west-1\nservices = mine',
          `[services mine]\nsts =\n  endpoint_url = ${fake.origin}\n`,
        ].join('\n'),
      },
    );
    const { credentials, target } = await resolve(t, 's3://bucket', { profile: 'team' });
    assert.equal((await credentials()).accessKeyId, 'ROLE');
    assert.match(fake.requests[0]?.headers.authorization ?? '', /Credential=BASE\/\d+\/eu-west-1\/sts/);
    assert.equal(target.region, 'eu-west-1');
  });

  test('that STS refuses are denied, with its own words', async (t) => {
    const fake = await FakeStore.start(t, () => ({
      status: 403,
      headers: { 'content-type': 'text/xml' },
      body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
        <Code>AccessDenied</Code><Message>not the right audience</Message></Error></ErrorResponse>`,
    }));
    await inWebIdentity(t, fake.origin);
    const { credentials } = await resolve(t, 's3://bucket');
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'denied');
    assert.match(failure.message, /AccessDenied.*not the right audience/);
    assert.match(failure.hint, /role/);
  });

  test('that STS cannot be asked for are unreachable', async (t) => {
    await inWebIdentity(t, 'http://127.0.0.1:1');
    process.env.AWS_MAX_ATTEMPTS = '1';
    const { credentials } = await resolve(t, 's3://bucket');
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'unreachable');
    assert.equal(failure.retryable, true);
    assert.ok(failure instanceof StoreError);
  });
});
