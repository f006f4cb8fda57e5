import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OptionName, optionOf, variableOf } from '../../src/config/options/options.ts';
import { refusal, resolved } from './resolved.ts';

const bad: Readonly<Partial<Record<OptionName, readonly string[]>>> = {
  'endpoint-url': ['', 'localhost:9000', 'ftp://x', 'http://', 'https://x/?a=b', 'https://x/#a', 'nothing'],
  region: [' ', 'eu central', '../x'],
  profile: ['a\nb'],
  'standby-source': ['b/dags', 'https://x'],
  'standby-endpoint-url': ['localhost:9000', 'ftp://h'],
  'standby-region': ['eu central'],
  'standby-after': ['25h', 'soon'],
  concurrency: ['0', '1025', '-1', '1.5', 'ten', '1e2', '0x10', ' 7'],
  'wait-for-store': ['-1s', '25h', 'forever'],
  'read-deadline': ['0', '99ms', '11m', '10', '10 seconds'],
  'poll-interval': ['0', '249ms', '25h', 'soon', '-1s', '1d', '1S'],
  settle: ['-1s', '11m', '5', 'off'],
  'watch-key': ['/version.txt', 'versions/', '/', 'a\nb'],
  events: [
    'sqs:',
    'https://sqs.eu-west-1.amazonaws.com/1/q',
    'sqs:dags',
    'sqs:https://h/q?a=b',
    'sqs:ftp://h/q',
  ],
  'webhook-listen': ['8443', ':8443', 'host:99999'],
  prefetch: ['none', '-1', '8 mib', '8M', 'ALL', '1.5.5MiB'],
  'max-delete': ['101%', '50', '0.5', '-1%', '%', 'half'],
  include: [''],
  exclude: ['a\nb'],
  'cache-size': ['0', '1023KiB', 'lots', '99999999TiB', '2Gb'],
  uid: ['-1', '4294967295', 'airflow', '1.0'],
  gid: ['root'],
  umask: ['0888', '-1', '01777', 'rwx', '0x1f'],
  driver: ['fuse', 'Kernel'],
  'log-level': ['verbose', 'INFO', 'silent'],
  'log-format': ['text'],
};

describe('a value that is not allowed', () => {
  for (const [name, values] of Object.entries(bad)) {
    const option = optionOf(name as OptionName);
    test(`of ${name} is refused, naming the key, the value and what is allowed`, () => {
      for (const value of values) {
        const said = refusal(() => resolved([`--${name}=${value}`]));
        assert.ok(said.startsWith(`bad-value: --${name} cannot be `), said);
        assert.ok(said.includes(JSON.stringify(value).slice(1, -1)), said);
        assert.ok(said.endsWith(`Allowed: ${option.kind.allowed}.`), said);
        // An empty variable counts as unset, and so does an empty item of a list.
        if (value.trim() === '') continue;
        const variable = variableOf(name as OptionName);
        const fromEnvironment = refusal(() => resolved([], { [variable]: value }));
        assert.ok(fromEnvironment.startsWith(`bad-value: ${variable} cannot be `), fromEnvironment);
      }
    });
  }

  test('is shown without the password that an address may carry', () => {
    const said = refusal(() => resolved(['--endpoint-url', 'https://me:secret@s3.example']));
    assert.doesNotMatch(said, /secret/);
    assert.match(said, /s3\.example/);
  });

  test("is named with AWS's own variable where it came from there", () => {
    assert.match(
      refusal(() => resolved([], { AWS_ENDPOINT_URL: 'x' })),
      /^bad-value: AWS_ENDPOINT_URL /,
    );
  });
});

test('measures are taken in all their units', () => {
  const poll = (text: string) => resolved(['--poll-interval', text]).values['poll-interval'];
  assert.deepEqual(['250ms', '10s', '5m', '1h', '1.5s'].map(poll), [250, 10_000, 300_000, 3_600_000, 1_500]);
  const prefetch = (text: string) => resolved(['--prefetch', text]).values.prefetch;
  assert.deepEqual(['0', '4096', '64KiB', '2GiB', '10MB', '1.5MiB', 'all'].map(prefetch), [
    0,
    4096,
    65_536,
    2 ** 31,
    10_000_000,
    1_572_864,
    Number.POSITIVE_INFINITY,
  ]);
  const share = (text: string) => resolved(['--max-delete', text]).values['max-delete'];
  assert.deepEqual(['0%', '12.5%', '100%'].map(share), [0, 0.125, 1]);
  const umask = (text: string) => resolved(['--umask', text]).values.umask;
  assert.deepEqual(['0', '22', '0222', '0o027', '777'].map(umask), [0, 0o22, 0o222, 0o27, 0o777]);
  assert.equal(resolved(['--settle', '0']).values.settle, 0);
});

test('an endpoint has one spelling', () => {
  const endpoint = (text: string) => resolved(['--endpoint-url', text]).values['endpoint-url'];
  assert.equal(endpoint('HTTPS://S3.Example:443/'), 'https://s3.example');
  assert.equal(endpoint('http://127.0.0.1:9000'), 'http://127.0.0.1:9000');
  assert.equal(endpoint('http://s3.example/below/'), 'http://s3.example/below');
});
