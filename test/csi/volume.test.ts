import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDriverConfig } from '../../src/csi/driver-config.ts';
import { mountRequestOf, tokenOf, type VolumeContext } from '../../src/csi/volume.ts';
import { VolumeError } from '../../src/csi/volume-error.ts';

const FILE = `
allow:
  - s3://acme/dags
  - s3://releases/**
endpoints: [https://minio.example:9000/]
profiles:
  default:
    region: eu-central-1
  local:
    endpoint-url: https://minio.example:9000
    no-sign-request: true
    include: [a.py, b.py]
deadline: 30s
hold: /run/hold.sock
`;

const config = parseDriverConfig(FILE, 'csi.yaml');
const ask = (context: VolumeContext) => mountRequestOf(context, config);

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof VolumeError, String(error));
    return error.code;
  }
  return 'allowed';
}

describe('a volume', () => {
  test('has the options of its profile, then its own; the same attributes in any order share a mount', () => {
    const one = ask({ source: 's3://acme/dags', region: 'us-east-1', include: '*.py, lib/**' });
    assert.deepEqual(one.options, [
      { name: 'region', values: ['eu-central-1'] },
      { name: 'region', values: ['us-east-1'] },
      { name: 'include', values: ['*.py', 'lib/**'] },
    ]);
    const again = ask({ include: '*.py, lib/**', region: 'us-east-1', source: 's3://acme/dags/' });
    assert.equal(again.key, one.key);
    assert.match(one.key, /^[0-9a-f]{16}$/);
  });

  test('that asks for anything else has another mount', () => {
    const asked = [
      { source: 's3://acme/dags' },
      { source: 's3://releases/dags' },
      { source: 's3://releases/dags', ref: 'prod' },
      { source: 's3://releases/dags', ref: 'prod', versions: 'true' },
      { source: 's3://acme/dags', profile: 'local' },
      { source: 's3://acme/dags', exclude: 'a' },
    ];
    assert.equal(new Set(asked.map((each) => ask(each).key)).size, asked.length);
  });

  test('is refused what the node does not allow', () => {
    const refused: readonly (readonly [string, VolumeContext])[] = [
      ['not-allowed', { source: 's3://acme/other' }],
      ['not-allowed', { source: 's3://acme/dags/below' }],
      ['not-allowed', { source: 's3://acme' }],
      ['not-allowed', { source: 's3://acme/dags-of-others' }],
      ['not-allowed', { source: 's3://releases-of-others/dags' }],
      ['not-allowed', { source: 's3://acme/dags', endpoint: 'https://evil.example' }],
      ['not-allowed', { source: 's3://acme/dags', profile: 'none' }],
      ['malformed', {}],
      ['malformed', { source: '' }],
      ['malformed', { source: '/etc' }],
      ['malformed', { source: 's3://acme/dags', 'cache-dir': '/etc' }],
      ['malformed', { source: 's3://acme/dags', sources: 'x' }],
      ['malformed', { source: 's3://acme/dags', include: 'a\nb' }],
      ['malformed', { source: 's3://acme/dags', include: 'a'.repeat(5_000) }],
      ['malformed', { source: 's3://acme/dags', versions: 'yes' }],
      ['malformed', { source: 's3://releases/../acme' }],
      ['malformed', { source: 's3://releases/dags/./below/' }],
      ['malformed', { source: 's3://acme/dags', include: '*a*b*c*d*e*f*g' }],
      ['malformed', { source: 's3://acme/dags', exclude: `x,${'?'.repeat(7)}` }],
      ['malformed', { source: 's3://acme/dags', include: Array.from({ length: 65 }, () => 'a').join() }],
      ['malformed', { source: 's3://acme/dags', __proto__: 'x', constructor: 'y' }],
      ['no-token', { source: 's3://acme/dags', role: 'arn:aws:iam::1:role/x' }],
    ];
    for (const [code, context] of refused)
      assert.equal(
        refusal(() => ask(context)),
        code,
        JSON.stringify(context),
      );
    assert.equal(
      refusal(() => ask({ source: 's3://acme/dags', endpoint: 'https://minio.example:9000' })),
      'allowed',
    );
    assert.equal(
      refusal(() => mountRequestOf({ source: 's3://acme/dags' }, parseDriverConfig('', 'csi.yaml'))),
      'not-allowed',
    );
  });

  test('with a role cannot have a profile whose credentials are others', () => {
    const pod = {
      'csi.storage.k8s.io/pod.namespace': 'a',
      'csi.storage.k8s.io/serviceAccount.name': 'b',
      role: 'arn:aws:iam::1:role/x',
      source: 's3://acme/dags',
    };
    assert.equal(
      refusal(() => ask({ ...pod, profile: 'local' })),
      'malformed',
    );
  });

  test('with a role has a mount for each service account', () => {
    const of = (namespace: string, name: string) =>
      ask({
        source: 's3://acme/dags',
        role: 'arn:aws:iam::1:role/x',
        'csi.storage.k8s.io/pod.namespace': namespace,
        'csi.storage.k8s.io/serviceAccount.name': name,
        'csi.storage.k8s.io/pod.name': `${Math.random()}`,
      }).key;
    assert.equal(of('a', 'b'), of('a', 'b'));
    assert.equal(new Set([of('a', 'b'), of('a', 'c'), of('b', 'b')]).size, 3);
  });

  test('has the token that kubelet sends for AWS, in either place', () => {
    const name = 'csi.storage.k8s.io/serviceAccount.tokens';
    const expirationTimestamp = '2026-11-29T12:00:00Z';
    const text = JSON.stringify({
      other: { token: 'o' },
      'sts.amazonaws.com': { token: 't', expirationTimestamp },
    });
    const expected = { token: 't', expiresAt: Date.parse(expirationTimestamp) };
    assert.deepEqual(tokenOf({ [name]: text }, {}), expected);
    assert.deepEqual(tokenOf({}, { [name]: text }), expected);
    assert.equal(tokenOf({}, {}), undefined);
    for (const none of ['null', '{}', '{"sts.amazonaws.com":{}}', '{"sts.amazonaws.com":{"token":1}}'])
      assert.equal(tokenOf({ [name]: none }, {}), undefined);
    assert.equal(
      refusal(() => tokenOf({ [name]: '{' }, {})),
      'malformed',
    );
  });
});

describe('the file of the driver', () => {
  test('is refused with the key that is wrong', () => {
    const wrong = [
      ['allow: s3://a', 'unparsable-file'],
      ['allow: [/etc]', 'malformed-address'],
      ['allowed: []', 'unknown-key'],
      ['deadline: 0s', 'bad-value'],
      ['deadline: soon', 'bad-value'],
      ['deadline: 2m', 'bad-value'],
      ['idle: 25h', 'bad-value'],
      ['cache-dir: here', 'bad-value'],
      ['profiles: {x: {cache-dir: /x}}', 'unknown-key'],
      ["profiles: {x: {metrics-listen: ':1'}}", 'unknown-key'],
      ['mounts: 0', 'bad-value'],
      ['mounts: 129', 'bad-value'],
      ['mounts: many', 'bad-value'],
      ['state-dir: here', 'bad-value'],
      ['profiles: {x: {nothing: 1}}', 'unknown-key'],
      ['profiles: {x: {socket: /x}}', 'unknown-key'],
      ['- a', 'unparsable-file'],
      ['a: [', 'unparsable-file'],
    ] as const;
    for (const [text, code] of wrong) {
      assert.throws(() => parseDriverConfig(text, 'csi.yaml'), { name: 'ConfigError', code }, text);
    }
  });

  test('has defaults for all but the sources', () => {
    const { deadlineMs, idleMs, holder, stateDirectory } = parseDriverConfig('# nothing\n', 'csi.yaml');
    assert.deepEqual(
      { deadlineMs, idleMs, holder, stateDirectory },
      {
        deadlineMs: 60_000,
        idleMs: 600_000,
        holder: '/run/dagmount-hold/hold.sock',
        stateDirectory: '/var/lib/dagmount/csi',
      },
    );
  });
});
