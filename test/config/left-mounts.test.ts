import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeft, type MountState } from '../../src/host/mount-state.ts';

/** A pid that no process has. */
const gone = { pid: 2 ** 22 + 1 };
const here = { pid: process.pid };

const state: MountState = {
  ...gone,
  source: 's3://b/p/',
  target: '/dags',
  ready: true,
  startedAt: '2026-01-01T00:00:00Z',
  socket: null,
  driver: 'fuse-native',
};

test('a mount of fuse-native was left where its server is gone, and no other is about to come', () => {
  const mount = { source: 's3://b/p/', target: '/dags' };
  assert.equal(isLeft([state], mount, 0), true);
  assert.equal(isLeft([{ ...state, ...here }], mount, 0), false, 'its server runs');
  assert.equal(
    isLeft([{ ...state, supervisor: here }], mount, 0),
    false,
    'its supervisor starts another one',
  );
  assert.equal(isLeft([{ ...state, supervisor: here }], mount, here.pid), true, 'this is that other one');
  assert.equal(isLeft([{ ...state, driver: 'kernel' }], mount, 0), false, 'nobody answers it');
  assert.equal(isLeft([state], { ...mount, target: '/other' }, 0), false);
  assert.equal(isLeft([], mount, 0), false);
});
