import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoints } from '../../src/base/store-endpoints.ts';
import { findWay } from '../../src/store/store-way.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { wayOptions } from '../support/way-options.ts';

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
  const way = await findWay(wayOptions({ endpoints }), process.env);
  defer(t, () => way.transport.close());
  return way.places.map(({ target }) => target.endpoint);
}
