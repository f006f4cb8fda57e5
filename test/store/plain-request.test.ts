import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import type { ResolvedTarget } from '../../src/store/resolved-target.ts';
import { captureRequest } from '../../src/store/sdk/capture.ts';
import { plainRequest } from '../../src/store/sdk/plain-request.ts';
import { repository } from '../support/repository.ts';
import { inEnvironment, KEYS, resolve } from './resolving.ts';

const buckets = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9]{2,10}-?[a-z0-9]{2,10}$/) },
  fc.stringMatching(/^[a-z0-9-]{3,20}$/),
  fc.constantFrom(
    'dags',
    'my.dotted.bucket',
    'UPPER',
    'a',
    'x--use1-az4--x-s3',
    'x-s3alias',
    'x--op-s3',
    'tenant:b',
  ),
);
const endpoints = fc.constantFrom(
  'http://127.0.0.1:9000',
  'http://127.0.0.1:9000/',
  'https://minio.example.com',
  'https://MinIO.Example.com:443',
  'http://store:80',
  'http://[::1]:9000',
  'https://example.com/base',
  'https://s3.eu-west-1.amazonaws.com',
  'https://storage.googleapis.com',
);
const regions = fc.constantFrom(
  'us-east-1',
  'eu-west-1',
  'auto',
  'garage',
  'aws-global',
  'fips-us-east-1',
  'cn-north-1',
);

function plain(bucket: string, endpointUrl: string | undefined, region: string, environment = {}) {
  return plainRequest({ bucket, region, ...(endpointUrl !== undefined && { endpointUrl }) }, environment);
}

test('what is said without the SDK is what the SDK says', async (t) => {
  await inEnvironment(t, {});
  const sdk = await import('@aws-sdk/client-s3');
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(buckets, endpoints, regions, async (bucket, endpoint, region) => {
      const plainly = await plain(bucket, endpoint, region, process.env);
      if (plainly === undefined) return;
      compared++;
      const config = { endpoint, region, forcePathStyle: true, ignoreConfiguredEndpointUrls: true };
      assert.deepEqual(plainly, await captureRequest(sdk, config, bucket));
    }),
    { numRuns: 300 },
  );
  assert.ok(compared > 30, `only ${compared} of 300 were compared`);
});

test('a bucket at another store is a path there', async (t) => {
  await inEnvironment(t, KEYS);
  const expected: ResolvedTarget = {
    bucket: 'dags',
    prefix: 'dags/',
    origin: 'http://store:9000',
    host: 'store:9000',
    basePath: '/dags/',
    region: 'us-east-1',
    service: 's3',
    endpoint: 'http://store:9000',
    requestPayer: false,
    anonymous: false,
  };
  const { target } = await resolve(t, 's3://dags/dags', { endpointUrl: 'http://store:9000' });
  assert.deepEqual(target, expected);
  assert.notEqual(await plain('dags', 'http://store:9000', 'us-east-1', process.env), undefined);
});

test('where a setting names another kind of endpoint, the SDK is asked', async (t) => {
  const ask = () => plain('dags', 'http://store:9000', 'us-east-1', process.env);
  await inEnvironment(t, { AWS_USE_FIPS_ENDPOINT: 'true' });
  assert.equal(await ask(), undefined);
  await inEnvironment(t, {}, { config: '[default]\nuse_dualstack_endpoint = true\n' });
  assert.equal(await ask(), undefined);
  await inEnvironment(t, {}, { config: '[default]\nregion = eu-west-1\n' });
  assert.notEqual(await ask(), undefined);
});

test('AWS itself is left to the SDK', async () => {
  assert.equal(await plain('dags', undefined, 'us-east-1'), undefined);
  assert.equal(await plain('dags', 'https://s3.amazonaws.com', 'us-east-1'), undefined);
});

/** Prints whether the SDK was loaded to work out a bucket and its credentials. */
const PROGRAM = `
import { createRequire } from 'node:module';
import { Transport } from ${JSON.stringify(builtUrl('src/store/http/transport.js'))};
import { resolveTarget } from ${JSON.stringify(builtUrl('src/store/sdk/resolve.js'))};
const transport = new Transport({ proxies: { no: '' }, connections: 1, timeouts: {} });
const endpointUrl = process.env.TEST_ENDPOINT || undefined;
const { credentials } = await resolveTarget({ bucket: 'dags', prefix: '', endpointUrl, transport });
await credentials();
const { cache } = createRequire(import.meta.url);
console.log(Object.keys(cache).some((path) => path.includes('@aws-sdk')));
`;

for (const [where, endpoint, loaded] of [
  ['another store', 'http://store:9000', 'false'],
  ['AWS', '', 'true'],
] as const) {
  test(`with keys in the environment, a bucket at ${where} loads the SDK: ${loaded}`, async () => {
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', ...KEYS, TEST_ENDPOINT: endpoint };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
      env,
      timeout: 60_000,
    });
    assert.equal(stdout.trim(), loaded);
  });
}

function builtUrl(path: string): string {
  return pathToFileURL(join(repository, 'dist', path)).href;
}
