import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RequestSigner } from '../../src/store/http/sign.ts';
import type { ResolveOptions } from '../../src/store/sdk/resolve.ts';
import { SettingError } from '../../src/store/setting-error.ts';
import { errorDocument, FakeStore } from './fake-store.ts';
import { failureOf, openStore, patience } from './open-store.ts';
import { inEnvironment, KEYS, resolve } from './resolving.ts';

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
      // Signs as a gateway does: it decodes and encodes the path again, so the form of the colon in it does not matter.
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
