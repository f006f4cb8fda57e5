import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { environment } from './host-environment.ts';
import { givenFlags, refusal } from './resolved.ts';

function standbysOf(...args: readonly string[]) {
  return resolveMountConfig('s3://b/dags', '/opt/dags', givenFlags(args), environment({})).config.standbys;
}

async function fileOf(t: TestContext, text: string): Promise<string> {
  const file = join(await temporaryDirectory(t), 'dagmount.yaml');
  await writeFile(file, text);
  return file;
}

const west = {
  source: 's3://west/dags/',
  bucket: 'west',
  prefix: 'dags/',
  endpoint: undefined,
  region: 'us-west-2',
  profile: undefined,
};
const minio = {
  source: 's3://east/dags/',
  bucket: 'east',
  prefix: 'dags/',
  endpoint: 'https://minio.example',
  region: undefined,
  profile: 'minio',
};

describe('standby sources', () => {
  test('are none unless they are named', () => assert.deepEqual(standbysOf(), []));

  test('are tried in the order of the flags; a setting is for all, or for each', () => {
    assert.deepEqual(standbysOf('--standby-source', 's3://west/dags', '--standby-region', 'us-west-2'), [
      west,
    ]);
    const two = ['--standby-source', 's3://west/dags', '--standby-source', 's3://east/dags/'];
    assert.deepEqual(
      standbysOf(
        ...two,
        ...['--standby-region', 'us-west-2', '--standby-region', '-'],
        ...['--standby-endpoint-url', '-', '--standby-endpoint-url', 'https://minio.example'],
        ...['--standby-profile', '-', '--standby-profile', 'minio'],
      ),
      [west, minio],
    );
    assert.deepEqual(
      standbysOf(...two, '--standby-region', 'eu-west-1').map(({ region }) => region),
      ['eu-west-1', 'eu-west-1'],
    );
  });

  test('are a list in the file, or one', async (t) => {
    const list = await fileOf(
      t,
      'standby:\n  - source: s3://west/dags\n    region: us-west-2\n  - {source: s3://east/dags, endpoint-url: "https://minio.example", profile: minio}\n',
    );
    assert.deepEqual(standbysOf('--config', list), [west, minio]);
    const one = await fileOf(t, 'standby:\n  source: s3://west/dags\n  region: us-west-2\n');
    assert.deepEqual(standbysOf('--config', one), [west]);
  });

  for (const [what, text, said] of [
    ['an entry without a source', 'standby: [{region: eu-west-1}]', /standby has an entry without a source/],
    [
      'a key that is not known',
      'standby: [{source: "s3://w/d", bucket: x}]',
      /standby has an entry with bucket/,
    ],
    ['an entry that is no mapping', 'standby: [s3://w/d]', /standby has an entry without a source/],
    ['the switch of another option', 'standby: true', /no-standby/],
  ] as const) {
    test(`are refused in a file with ${what}`, async (t) => {
      const file = await fileOf(t, `${text}\n`);
      assert.match(
        refusal(() => standbysOf('--config', file)),
        said,
      );
    });
  }

  test('are refused where settings and sources do not match', () => {
    assert.match(
      refusal(() => standbysOf('--standby-region', 'eu-west-1')),
      /^bad-value: --standby-region has 1 values, and --standby-source has 0/,
    );
    const source = ['--standby-source', 's3://a/b'];
    assert.match(
      refusal(() => standbysOf(...source, '--standby-profile', 'a', '--standby-profile', 'b')),
      /^bad-value: --standby-profile has 2 values/,
    );
    assert.match(
      refusal(() => standbysOf('--standby-source', 's3://')),
      /^(bad-value|malformed-address)/,
    );
  });
});
