import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { failureOf } from '../../src/cli/failure.ts';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { StoreFinding } from '../../src/server/server-port.ts';
import { environment } from '../config/host-environment.ts';
import { examined, host, probing } from './examined-host.ts';
import { TypedError } from './typed-error.ts';

describe('doctor with an address', () => {
  test('tries the store as a mount with these options would', async () => {
    let asked: MountConfig | undefined;
    const findings: StoreFinding[] = [
      { name: 'credentials', outcome: 'good', detail: 'from the environment' },
      { name: 'clock', outcome: 'doubtful', detail: '3 min behind', hint: 'Set the clock.' },
    ];
    const changes = probing(findings, (config) => {
      asked = config;
    });
    const args = ['s3://b/p', '--endpoint-url', 'http://s3.example', '--no-sign-request'];
    const { exitCode, out } = await examined(args, host(), changes);
    assert.equal(exitCode, 0);
    assert.match(out, /^The store, s3:\/\/b\/p\/$/m);
    assert.match(out, /^✓ endpoint +http:\/\/s3\.example, flag --endpoint-url$/m);
    assert.match(out, /^✓ credentials +from the environment$/m);
    assert.match(out, /^! clock .*\n +Set the clock\.$/m);
    assert.deepEqual(asked?.endpoints, ['http://s3.example']);
    assert.equal(asked?.signRequest, false);
    assert.equal(asked?.prefix, 'p/');
  });

  test('says where the endpoint comes from, which is where a mount would go', async () => {
    let asked: MountConfig | undefined;
    const changes = {
      ...probing([], (config) => {
        asked = config;
      }),
      environment: environment({
        env: { PATH: '/usr/bin' },
        readText: (path) =>
          path.endsWith('/config') ? '[profile team]\nendpoint_url = http://minio:9000\n' : undefined,
      }),
    };
    const { out } = await examined(['s3://b', '--profile', 'team'], host(), changes);
    assert.match(out, /^✓ endpoint +http:\/\/minio:9000, default, from endpoint_url of profile team in /m);
    assert.deepEqual(asked?.endpoints, ['http://minio:9000']);
    assert.match((await examined(['s3://b'], host(), changes)).out, /^✓ endpoint +AWS's own$/m);
  });

  test('says what is wrong with the store and exits with its code', async () => {
    const error = new TypedError('no-such-bucket', 'there is no such bucket: b', 'Check the name.');
    const changes = probing([{ name: 'list', outcome: 'bad', detail: '', error }]);
    const { exitCode, out } = await examined(['s3://b/p'], host(), changes);
    assert.equal(exitCode, exitCodes.noInput);
    assert.match(out, /^✗ list +There is no such bucket: b\.\n +Check the name\.$/m);
  });

  test('as JSON is one document', async () => {
    const error = new TypedError('denied', 'it was refused', 'Grant it.');
    const changes = probing([{ name: 'list', outcome: 'bad', detail: '', error }]);
    const { exitCode, out } = await examined(['s3://b', '--json'], host(), changes);
    const report = JSON.parse(out);
    assert.equal(exitCode, exitCodes.noPermission);
    assert.equal(report.exitCode, exitCodes.noPermission);
    assert.equal(report.source, 's3://b/');
    assert.equal(report.checks.length, 13);
    assert.deepEqual(report.checks.at(-1), {
      name: 'list',
      outcome: 'bad',
      detail: 'It was refused.',
      hint: 'Grant it.',
    });
  });

  test('refuses a bad value before it looks at anything', async () => {
    await assert.rejects(examined(['s3://b', '--concurrency', '0']), (error) => {
      assert.equal(failureOf(error).exitCode, exitCodes.config);
      return true;
    });
  });
});
