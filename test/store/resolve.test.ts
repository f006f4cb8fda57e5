import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { environmentOfProcess } from '../../src/config/host-environment.ts';
import { resolveOptions } from '../../src/config/resolve.ts';
import { parseS3Address } from '../../src/config/s3-address.ts';
import { RequestSigner } from '../../src/store/http/sign.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { type Resolution, type ResolveOptions, resolveTarget } from '../../src/store/sdk/resolve.ts';
import { SettingError } from '../../src/store/setting-error.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { errorDocument, FakeStore } from './fake-store.ts';
import { failureOf, openStore, patience, settingsOf } from './open-store.ts';

/** The variables that are set, and no other of AWS's: nothing is found on this host by chance. */
async function inEnvironment(
  t: Cleanup,
  variables: Readonly<Record<string, string>>,
  files: { readonly config?: string; readonly credentials?: string } = {},
): Promise<string> {
  const directory = await temporaryDirectory(t);
  const before = { ...process.env };
  defer(t, () => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  });
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  const config = join(directory, 'config');
  const credentials = join(directory, 'credentials');
  await writeFile(config, files.config ?? '');
  await writeFile(credentials, files.credentials ?? '');
  Object.assign(process.env, {
    HOME: directory,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...variables,
  });
  return directory;
}

async function resolve(
  t: Cleanup,
  address: string,
  options: Partial<ResolveOptions> = {},
): Promise<Resolution> {
  const transport = new Transport(settingsOf());
  defer(t, () => transport.close());
  return resolveTarget({ ...parseS3Address(address), transport, ...configured(options), ...options });
}

/** What the configuration makes of the environment and of AWS's files, as for a mount. */
function configured({ profile, region, endpointUrl, forcePathStyle }: Partial<ResolveOptions>) {
  const flags = profile === undefined ? [] : [['profile', { text: profile, origin: FLAG }] as const];
  const { values } = resolveOptions(new Map(flags), environmentOfProcess());
  const found = {
    endpointUrl: endpointUrl ?? values['endpoint-url'],
    region: region ?? values.region,
    forcePathStyle: forcePathStyle ?? values['force-path-style'],
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

const FLAG = { kind: 'flag', flag: '--profile' } as const;

const KEYS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'hush' };
const POINT = 'arn:aws:s3:us-west-2:123456789012:accesspoint/name';

describe('a bucket at AWS', () => {
  test('is a host of its own, in us-east-1 where no region is set', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://bucket/prod');
    assert.deepEqual(target, {
      bucket: 'bucket',
      prefix: 'prod/',
      origin: 'https://bucket.s3.us-east-1.amazonaws.com',
      host: 'bucket.s3.us-east-1.amazonaws.com',
      basePath: '/',
      region: 'us-east-1',
      service: 's3',
      endpoint: 'aws',
      requestPayer: false,
      anonymous: false,
    });
  });

  test('can be cloned to another thread', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://bucket/prod', { anonymous: true, requestPayer: true });
    assert.deepEqual(structuredClone(target), target);
    assert.equal(target.anonymous, true);
    assert.equal(target.requestPayer, true);
  });

  const profile = { config: '[profile team]\nregion = eu-central-1\n[default]\nregion = eu-north-1\n' };
  const regions: readonly (readonly [
    from: string,
    variables: Record<string, string>,
    options: object,
    region: string,
  ])[] = [
    ['--region', { AWS_REGION: 'eu-west-2' }, { region: 'eu-west-1' }, 'eu-west-1'],
    ['AWS_REGION', { AWS_REGION: 'eu-west-2', AWS_DEFAULT_REGION: 'eu-west-3' }, {}, 'eu-west-2'],
    ['AWS_DEFAULT_REGION', { AWS_DEFAULT_REGION: 'eu-west-3' }, {}, 'eu-west-3'],
    ['the default profile', {}, {}, 'eu-north-1'],
    ['AWS_PROFILE', { AWS_PROFILE: 'team' }, {}, 'eu-central-1'],
    ['AWS_DEFAULT_PROFILE', { AWS_DEFAULT_PROFILE: 'team' }, {}, 'eu-central-1'],
    ['--profile', { AWS_PROFILE: 'default' }, { profile: 'team' }, 'eu-central-1'],
  ];
  for (const [from, variables, options, region] of regions) {
    test(`is in the region of ${from}`, async (t) => {
      await inEnvironment(t, variables, profile);
      const { target } = await resolve(t, 's3://bucket', options);
      assert.equal(target.origin, `https://bucket.s3.${region}.amazonaws.com`);
      assert.equal(target.region, region);
    });
  }

  test('with dots in its name is a path, since no certificate is for such a host', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://my.dotted.bucket');
    assert.equal(target.origin, 'https://s3.us-east-1.amazonaws.com');
    assert.equal(target.basePath, '/my.dotted.bucket/');
    assert.equal(target.endpoint, 'aws');
  });

  test('is a path where that is asked for', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://bucket', { forcePathStyle: true });
    assert.equal(target.basePath, '/bucket/');
  });

  test('answers at a dual-stack or FIPS endpoint where the environment says so', async (t) => {
    await inEnvironment(t, { AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_USE_FIPS_ENDPOINT: 'true' });
    const { target } = await resolve(t, 's3://bucket');
    assert.equal(target.host, 'bucket.s3-fips.dualstack.us-east-1.amazonaws.com');
  });

  test('may be an access point, which carries its own region', async (t) => {
    await inEnvironment(t, { AWS_REGION: 'eu-west-1' });
    const { target } = await resolve(t, `s3://${POINT}/prod`);
    assert.equal(target.host, 'name-123456789012.s3-accesspoint.us-west-2.amazonaws.com');
    assert.equal(target.region, 'us-west-2');
    assert.equal(target.prefix, 'prod/');
    assert.equal(target.endpoint, 'aws');
  });

  test('may be an alias of an access point', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://name-abcdefghijklmnopqrstuvwxyz123456-s3alias/x');
    assert.equal(target.host, 'name-abcdefghijklmnopqrstuvwxyz123456-s3alias.s3.us-east-1.amazonaws.com');
  });

  test('may be an object lambda, which is signed for as such', async (t) => {
    await inEnvironment(t, {});
    const address = 's3://arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/name';
    assert.equal((await resolve(t, address)).target.service, 's3-object-lambda');
  });

  test('cannot be a multi-region access point', async (t) => {
    await inEnvironment(t, {});
    const resolving = resolve(t, 's3://arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap');
    await assert.rejects(
      resolving,
      (error) => error instanceof SettingError && /multi-region/.test(error.message),
    );
  });

  test('cannot be a directory bucket', async (t) => {
    await inEnvironment(t, {});
    const failure = await failureOf(resolve(t, 's3://bucket--use1-az4--x-s3'));
    assert.equal(failure.code, 'bad-request');
    assert.match(failure.message, /directory bucket/);
  });
});

describe('a bucket elsewhere', () => {
  const endpoints: readonly (readonly [from: string, variables: Record<string, string>, options: object])[] =
    [
      ['--endpoint-url', { AWS_ENDPOINT_URL: 'http://wrong' }, { endpointUrl: 'http://minio.local:9000' }],
      [
        'AWS_ENDPOINT_URL_S3',
        { AWS_ENDPOINT_URL_S3: 'http://minio.local:9000', AWS_ENDPOINT_URL: 'http://wrong' },
        {},
      ],
      ['AWS_ENDPOINT_URL', { AWS_ENDPOINT_URL: 'http://minio.local:9000' }, {}],
      ['the profile of AWS_PROFILE', { AWS_PROFILE: 'local' }, {}],
      ['the profile of AWS_DEFAULT_PROFILE', { AWS_DEFAULT_PROFILE: 'local' }, {}],
      ['the profile of --profile', {}, { profile: 'local' }],
      ['the profile of --profile, whatever AWS_PROFILE says', { AWS_PROFILE: 'other' }, { profile: 'local' }],
      ['the services section of --profile', {}, { profile: 'services' }],
    ];
  for (const [from, variables, options] of endpoints) {
    test(`is at the endpoint of ${from}, in its path`, async (t) => {
      await inEnvironment(t, variables, {
        config: [
          '[default]\nendpoint_url = http://wrong',
          '[profile other]\nendpoint_url = http://wrong',
          '[profile local]\nendpoint_url = http://minio.local:9000',
          '[profile services]\nservices = mine\nendpoint_url = http://wrong',
          '[services mine]\ns3 =\n  endpoint_url = http://minio.local:9000\nsts =\n  endpoint_url = http://wrong\n',
        ].join('\n'),
      });
      const { target } = await resolve(t, 's3://bucket/x', options);
      assert.equal(target.origin, 'http://minio.local:9000');
      assert.equal(target.host, 'minio.local:9000');
      assert.equal(target.basePath, '/bucket/');
      assert.equal(target.endpoint, 'http://minio.local:9000');
      assert.equal(target.region, 'us-east-1');
    });
  }

  test('is at AWS where the profile says nothing of an endpoint, whatever other profiles say', async (t) => {
    await inEnvironment(
      t,
      { AWS_PROFILE: 'other' },
      {
        config:
          '[default]\nendpoint_url = http://wrong\n[profile other]\nendpoint_url = http://wrong\n[profile plain]\nregion = eu-west-1\n',
      },
    );
    const { target } = await resolve(t, 's3://bucket/x', { profile: 'plain' });
    assert.equal(target.origin, 'https://bucket.s3.eu-west-1.amazonaws.com');
  });

  for (const bucket of ['tenant:bucket', ':bucket', 'tenant_1:my.bucket']) {
    test(`may belong to a tenant of a Ceph Object Gateway: ${bucket}`, async (t) => {
      await inEnvironment(t, KEYS);
      const fake = await FakeStore.start(t, () => ({ status: 403, body: errorDocument('AccessDenied') }));
      const { target, credentials } = await resolve(t, `s3://${bucket}/dags`, { endpointUrl: fake.origin });
      assert.equal(target.basePath, `/${bucket.replace(':', '%3A')}/`);
      assert.equal(target.endpoint, fake.origin);
      const { store } = openStore(t, fake.origin, { target, credentials, now: () => 0 });
      const failure = await failureOf(store.get('a b.py', { signal: patience() }));
      assert.match(failure.hint, new RegExp(`arn:aws:s3::${bucket}/dags/\\*`));
      const [seen] = fake.requests;
      assert.equal(seen?.url, `/${bucket.replace(':', '%3A')}/dags/a%20b.py`);
      // As a gateway makes it: the path decoded and encoded again, so that it does not matter how the colon was sent.
      const { authorization, ...headers } = seen?.headers ?? {};
      const canonical = new RequestSigner().sign(
        {
          method: 'GET',
          path:
            seen?.url
              .split('/')
              .map((part) => encodeURIComponent(decodeURIComponent(part)))
              .join('/') ?? '',
          query: {},
          headers: Object.fromEntries(
            (/SignedHeaders=([^,]*)/.exec(authorization ?? '')?.[1] ?? '')
              .split(';')
              .map((name) => [name, String((headers as Record<string, unknown>)[name])]),
          ),
        },
        target,
        await credentials(),
        0,
      );
      assert.equal(authorization, canonical.authorization);
    });
  }

  test('of a tenant is refused where it cannot stand in the path', async (t) => {
    await inEnvironment(t, {});
    const refused = (options: Partial<ResolveOptions>, says: RegExp) =>
      assert.rejects(
        resolve(t, 's3://tenant:bucket/x', options),
        (error) => error instanceof SettingError && says.test(`${error.message} ${error.hint}`),
      );
    await refused({}, /AWS has none.*--endpoint-url/);
    await refused(
      { endpointUrl: 'http://rgw', forcePathStyle: false },
      /not in the host.*--force-path-style/,
    );
  });

  test('may have an endpoint with a path', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://bucket', { endpointUrl: 'https://store.example/s3/' });
    assert.equal(target.basePath, '/s3/bucket/');
    assert.equal(target.endpoint, 'https://store.example/s3');
  });

  test('is a host of its own where path style is switched off', async (t) => {
    await inEnvironment(t, {});
    const { target } = await resolve(t, 's3://bucket', {
      endpointUrl: 'https://store.example',
      forcePathStyle: false,
    });
    assert.equal(target.host, 'bucket.store.example');
    assert.equal(target.endpoint, 'https://store.example');
  });

  test('at an endpoint of AWS itself is a host of its own', async (t) => {
    await inEnvironment(t, {});
    const endpointUrl = 'https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com';
    const { target } = await resolve(t, 's3://bucket', { endpointUrl });
    assert.equal(target.endpoint, 'aws');
    assert.equal(target.basePath, '/');
  });

  for (const endpointUrl of [
    'minio.local:9000',
    'ftp://minio.local',
    'http://',
    'http://user:hush@minio',
    'http://m/?x=1',
  ]) {
    test(`is not looked for at ${endpointUrl}`, async (t) => {
      await inEnvironment(t, {});
      await assert.rejects(
        resolve(t, 's3://bucket', { endpointUrl }),
        (error) =>
          error instanceof SettingError &&
          error.code === 'bad-setting' &&
          /--endpoint-url/.test(error.message) &&
          !/hush/.test(error.message + error.hint),
      );
    });
  }

  test('is not looked for in a region that cannot be', async (t) => {
    await inEnvironment(t, {});
    await assert.rejects(
      resolve(t, 's3://bucket', { region: 'evil.example/' }),
      (error) => error instanceof SettingError && /--region/.test(error.message),
    );
  });
});

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
    const directory = await inEnvironment(t, {});
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'the-web-identity');
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
      AWS_ENDPOINT_URL_STS: 'http://sts.dagmount.invalid',
    });
    // The name resolves nowhere: only the transport knows the way.
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
    const directory = await inEnvironment(t, {});
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'the-web-identity');
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
      AWS_ENDPOINT_URL_STS: fake.origin,
    });
    const { credentials } = await resolve(t, 's3://bucket');
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'denied');
    assert.match(failure.message, /AccessDenied.*not the right audience/);
    assert.match(failure.hint, /role/);
  });

  test('that STS cannot be asked for are unreachable', async (t) => {
    const directory = await inEnvironment(t, {});
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'the-web-identity');
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
      AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1',
      AWS_MAX_ATTEMPTS: '1',
    });
    const { credentials } = await resolve(t, 's3://bucket');
    const failure = await failureOf(credentials());
    assert.equal(failure.code, 'unreachable');
    assert.equal(failure.retryable, true);
    assert.ok(failure instanceof StoreError);
  });
});
