import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dagmount, mountImpossible } from '../support/mount.ts';
import { outlive } from '../support/outlive/outlive.ts';
import { supervisorMissing } from '../support/supervised.ts';

const UPGRADES = 20;

for (const takeover of ['resend', 'journal'] as const) {
  test(`by ${takeover}: a server that is replaced ${UPGRADES} times in place under 8 readers gives no error, and shows nothing of an old tree`, {
    skip: mountImpossible || supervisorMissing,
  }, async (t) => {
    const { mount, takeovers } = await outlive(t, {
      takeover,
      files: 10_000,
      large: 20,
      readers: 8,
      times: UPGRADES,
      apart: 1_000,
      calm: 20_000,
      fault: async (_, { mount: replaced }) => {
        const { code, stderr } = await dagmount(['restart', '--socket', replaced.socket()]);
        assert.equal(code, 0, stderr);
      },
    });
    assert.ok(takeovers.every(({ cause }) => cause === 'restart-asked'));
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
}
