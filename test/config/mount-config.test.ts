import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { givenByYaml } from '../../src/config/from-file.ts';
import { fieldOf, resolveMountConfig } from '../../src/config/mount-config.ts';
import { optionNames } from '../../src/config/options/options.ts';
import { printedConfig } from '../../src/config/print-config.ts';
import { resolveOptions } from '../../src/config/resolve.ts';
import { environment } from './host-environment.ts';
import { givenFlags, resolved } from './resolved.ts';

test('a mount is told everything in one frozen object', () => {
  const args = ['--prefetch', 'all', '--no-sign-request', '--include', '*.py', '--force-path-style'];
  const { config } = resolveMountConfig('s3://b/p', '/opt/dags', givenFlags(args), environment());
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.include));
  assert.deepEqual(config, {
    source: 's3://b/p/',
    bucket: 'b',
    prefix: 'p/',
    target: '/opt/dags',
    endpoints: [undefined],
    trees: [],
    region: undefined,
    profile: undefined,
    forcePathStyle: true,
    signRequest: false,
    requestPayer: false,
    caFile: undefined,
    concurrency: 96,
    readDeadlineMs: 10_000,
    takeoverDeadlineMs: 60_000,
    standby: true,
    waitForStoreMs: 0,
    ref: undefined,
    releaseRoot: undefined,
    allowedSigners: undefined,
    minSeq: 0,
    versions: false,
    keepVersions: 5,
    versionIdleMs: 21600000,
    stateDir: '/home/airflow/.local/state/dagmount',
    pollIntervalMs: 10_000,
    settleMs: 1_000,
    unreadableWaitMs: 60_000,
    standbys: [],
    standbySource: [],
    standbyEndpointUrl: [],
    standbyRegion: [],
    standbyProfile: [],
    standbyAfterMs: 30_000,
    watchKey: undefined,
    events: undefined,
    webhookListen: undefined,
    webhookSecretFile: undefined,
    prefetchBytes: Number.POSITIVE_INFINITY,
    maxDelete: 0.5,
    allowEmpty: false,
    include: ['*.py'],
    exclude: [],
    executable: [],
    cacheDir: '/home/airflow/.cache/dagmount',
    cacheSizeBytes: 2 ** 31,
    uid: 1000,
    gid: 1001,
    umask: 0o222,
    allowOther: false,
    allowIdmap: false,
    driver: 'auto',
    socket: undefined,
    socketMode: 0o600,
    socketGroup: undefined,
    metricsListen: undefined,
    daemon: false,
    logLevel: 'info',
    logFormat: 'json',
  });
});

const mount = { source: 's3://b/p/', target: '/x', id: '0123456789ab' };

test('the printed configuration says where each value came from', () => {
  const { options } = resolved(['--poll-interval', '3s', '--sign-request'], {
    DAGMOUNT_CONCURRENCY: '7',
    AWS_REGION: 'eu-west-1',
  });
  const printed = printedConfig(mount, options);
  assert.match(printed, /^# dagmount mount s3:\/\/b\/p\/ \/x$/m);
  assert.match(printed, /^# mount id 0123456789ab$/m);
  assert.match(printed, /^poll-interval: 3s +# flag --poll-interval$/m);
  assert.match(printed, /^no-sign-request: false +# flag --sign-request$/m);
  assert.match(printed, /^concurrency: 7 +# environment DAGMOUNT_CONCURRENCY$/m);
  assert.match(printed, /^region: eu-west-1 +# default, from AWS_REGION$/m);
  assert.match(printed, /^settle: 1s +# default$/m);
  assert.match(printed, /^# profile: +# default: /m);
});

test('the printed configuration is a file that gives the same configuration', () => {
  const args = ['--include', '*.py', '--include', 'a, "b" #c', '--exclude', "it's", '--umask', '027'];
  const first = resolved([...args, '--profile', 'no: really', '--region', 'true', '--prefetch', '0']);
  const printed = printedConfig(mount, first.options);
  assert.equal(typeof parse(printed), 'object');
  const second = resolveOptions(givenByYaml(printed, '/etc/d.yaml').options, environment());
  assert.deepEqual(second.values, first.values);
});

test('every option has a field of its own in the configuration', () => {
  const place = ['source', 'bucket', 'prefix', 'target'];
  const fields = [...place, ...optionNames.map(fieldOf)];
  assert.equal(new Set(fields).size, fields.length);
  assert.equal(fieldOf('takeover-deadline'), 'takeoverDeadlineMs');
  assert.equal(fieldOf('prefetch'), 'prefetchBytes');
  assert.equal(fieldOf('no-standby'), 'standby');
});
