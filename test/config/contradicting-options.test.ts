import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { schema } from '../../src/config/options/options.ts';
import { isEnvironment } from '../../src/release/index.ts';
import { environment } from './host-environment.ts';
import { givenFlags, refusal } from './resolved.ts';

function config(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return resolveMountConfig('s3://b/releases', '/opt/dags', givenFlags(args), environment({ env })).config;
}

describe('options of releases', () => {
  for (const [flag, value] of [
    ['--allowed-signers', '/etc/dagmount/signers'],
    ['--min-seq', '7'],
    ['--release-root', 's3://other/root'],
  ] as const) {
    test(`${flag} is refused without --ref, by the name under which it was given`, () => {
      assert.match(
        refusal(() => config([flag, value])),
        new RegExp(`^bad-value: ${flag} has no meaning`),
      );
      const variable = `DAGMOUNT_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
      assert.match(
        refusal(() => config([], { [variable]: value })),
        new RegExp(`^bad-value: ${variable} `),
      );
      assert.equal(config(['--ref', 'production', flag, value]).ref, 'production');
    });
  }

  for (const flag of ['--include', '--exclude', '--executable', '--watch-key']) {
    test(`${flag} is refused with --ref, which shows what was deployed`, () => {
      const given = refusal(() => config(['--ref', 'production', flag, 'x.py']));
      assert.match(given, new RegExp(`^bad-value: ${flag} cannot be used with --ref`));
      assert.match(
        refusal(() => config([flag, 'x.py'], { DAGMOUNT_REF: 'production' })),
        /cannot be used with DAGMOUNT_REF/,
      );
    });
  }

  test('keep their state in a directory of its own, whoever runs it', () => {
    const at = (uid: number, env: Record<string, string>, home?: string): string =>
      resolveMountConfig('s3://b', '/m', givenFlags([]), environment({ uid, env, home })).config.stateDir;
    assert.equal(at(0, { XDG_STATE_HOME: '/x' }), '/var/lib/dagmount');
    assert.equal(at(1000, { XDG_STATE_HOME: '/x' }), '/x/dagmount');
    assert.equal(at(1000, { XDG_STATE_HOME: 'x' }, '/home/zoe'), '/home/zoe/.local/state/dagmount');
    assert.equal(at(1000, {}), '/tmp/dagmount-state-1000');
  });

  test('take the same names of environments as deploy does', () => {
    const takes = (name: string): boolean => schema.ref.kind.schema.safeParse(name).success;
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '0', '.', '-', '_', 'A', '/', 'é'), maxLength: 70 }),
        (name) => {
          assert.equal(takes(name), isEnvironment(name));
        },
      ),
    );
    for (const length of [63, 64]) assert.equal(takes('a'.repeat(length)), isEnvironment('a'.repeat(length)));
  });
});

describe('the webhook', () => {
  test('takes an address and a secret, or neither', () => {
    const listen = ['--webhook-listen', '127.0.0.1:8443'];
    const secret = ['--webhook-secret-file', '/etc/dagmount/webhook'];
    assert.match(
      refusal(() => config(listen)),
      /^bad-value: --webhook-listen cannot be used without --webhook-secret-file/,
    );
    assert.match(
      refusal(() => config([], { DAGMOUNT_WEBHOOK_SECRET_FILE: '/x' })),
      /^bad-value: DAGMOUNT_WEBHOOK_SECRET_FILE cannot be used without --webhook-listen/,
    );
    assert.deepEqual(config([...listen, ...secret]).webhookListen, { host: '127.0.0.1', port: 8443 });
  });
});
