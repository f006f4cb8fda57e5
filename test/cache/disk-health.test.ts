import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskHealth } from '../../src/cache/disk-health.ts';

test('a disk that failed is tried again once in five seconds, and is sound again when a write succeeds', () => {
  let now = 1_000_000;
  const told: (string | undefined)[] = [];
  const health = new DiskHealth({ now: () => now }, (trouble) => told.push(trouble));
  assert.equal(health.mayWrite(), true);
  health.failed('ENOSPC');
  assert.equal(health.trouble, 'cache-full');
  assert.equal(health.mayWrite(), false);
  now += 5_000;
  assert.equal(health.mayWrite(), true);
  assert.equal(health.mayWrite(), false);
  health.failed('EDQUOT');
  now += 4_999;
  assert.equal(health.mayWrite(), false);
  now += 1;
  assert.equal(health.mayWrite(), true);
  health.wrote();
  assert.equal(health.trouble, undefined);
  assert.deepEqual([health.mayWrite(), health.mayWrite()], [true, true]);
  assert.deepEqual(told, ['cache-full', undefined]);
});

test('what is no lack of room is told apart', () => {
  for (const code of ['EROFS', 'EIO', 'EACCES', 'EPERM']) {
    const health = new DiskHealth({ now: () => 0 }, () => undefined);
    health.failed(code);
    assert.equal(health.trouble, 'cache-unwritable', code);
  }
});

test('a clock that stepped back does not stop the trying', () => {
  let now = 1_000_000;
  const health = new DiskHealth({ now: () => now }, () => undefined);
  health.failed('EIO');
  now -= 500_000;
  assert.equal(health.mayWrite(), true);
});
