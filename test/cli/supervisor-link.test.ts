import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSupervised, takeSupervisorLink } from '../../src/cli/supervisor-link.ts';

const given = {
  DAGMOUNT_SUPERVISOR: '5 2 orders=6 fuse=7 own-mount=8',
  DAGMOUNT_SUPERVISOR_REASON: 'signal 9 (Killed)',
  DAGMOUNT_SUPERVISOR_NICE: '-3',
};

test('what a supervisor gives is read, and no process that this one starts has it', () => {
  const held = { DAGMOUNT_HOLD: '/run/hold.sock', DAGMOUNT_HOLD_KEY: 'a'.repeat(64) };
  const env = { ...given, ...held, DAGMOUNT_WATCHDOG_MS: '3000', OTHER: 'stays' };
  assert.ok(isSupervised(env));
  const link = takeSupervisorLink(env, { NODE_OPTIONS: '--max-old-space-size=100' });
  assert.deepEqual(link, {
    socket: 5,
    restarts: 2,
    reason: 'signal 9 (Killed)',
    standsBy: false,
    isStandby: false,
    nice: -3,
    kept: new Map([
      ['orders', 6],
      ['fuse', 7],
      ['own-mount', 8],
    ]),
    environment: {
      DAGMOUNT_WATCHDOG_MS: '3000',
      DAGMOUNT_SUPERVISOR_NICE: '-3',
      ...held,
      NODE_OPTIONS: '--max-old-space-size=100',
    },
  });
  assert.deepEqual(env, { OTHER: 'stays' });
  assert.ok(!isSupervised(env));
  assert.equal(takeSupervisorLink(env, {}), undefined);
});

test('a standby and a replacement are told by the words that supervisors of every build use', () => {
  for (const [word, standsBy, isStandby] of [
    ['spare', true, true],
    ['1', true, false],
    [undefined, false, false],
  ] as const) {
    const env = { ...given, ...(word !== undefined && { DAGMOUNT_SUPERVISOR_STANDBY: word }) };
    const link = takeSupervisorLink(env, {});
    assert.deepEqual([link?.standsBy, link?.isStandby], [standsBy, isStandby], String(word));
  }
});
