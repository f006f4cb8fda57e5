import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SettingError } from '../../src/store/setting-error.ts';
import { failureOf } from './open-store.ts';
import { inEnvironment, POINT, resolve } from './resolving.ts';

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
