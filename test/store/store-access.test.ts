import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoints } from '../../src/base/store-endpoints.ts';
import { findAccess } from '../../src/store/store-access.ts';
import { accessOptions } from '../support/access-options.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { type Cleanup, defer } from '../support/temporary.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'hush', AWS_REGION: 'eu-central-1' };

test('a bucket is resolved at each of its endpoints, in their order', async (t) => {
  assert.deepEqual(await origins(t, ['http://second:9000', 'https://third.example/s3']), [
    'http://second:9000',
    'https://third.example/s3',
  ]);
  assert.deepEqual(await origins(t, [undefined, 'http://second:9000']), ['aws', 'http://second:9000']);
  assert.deepEqual(await origins(t, [undefined]), ['aws']);
});

test('an endpoint that is no address is refused wherever it stands', async (t) => {
  await assert.rejects(origins(t, ['ftp://first']), { code: 'bad-setting' });
  await assert.rejects(origins(t, [undefined, 'ftp://second']), { code: 'bad-setting' });
});

async function origins(t: Cleanup, endpoints: Endpoints): Promise<readonly string[]> {
  setAwsEnvironment(t, { ...KEYS, AWS_EC2_METADATA_DISABLED: 'true' });
  const access = await findAccess(accessOptions({ endpoints }), process.env);
  defer(t, () => access.transport.close());
  return access.places.map(({ target }) => target.endpoint);
}
