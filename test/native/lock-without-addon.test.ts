import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { lockWithoutAddon } from '../../src/takeover/kept/lock-without-addon.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const HELD = -11;
const noFlock = spawnSync('flock', ['--help']).error === undefined ? false : 'there is no flock(1)';

test('the lock that is taken without the addon is the one that the addon takes', {
  skip: noFlock,
}, async (t) => {
  const path = join(await temporaryDirectory(t), 'lock');
  const addon = loadAddon();
  const fd = lockWithoutAddon(path);
  assert.ok(fd > 2);
  assert.equal(addon.lockFile(path), HELD);
  assert.equal(lockWithoutAddon(path), HELD);
  closeSync(fd);
  const other = addon.lockFile(path);
  assert.ok(other > 2);
  assert.equal(lockWithoutAddon(path), HELD);
  closeSync(other);
});

test('a lock in a directory that is not there is refused with its errno', async (t) => {
  assert.equal(lockWithoutAddon(join(await temporaryDirectory(t), 'none', 'lock')), -2);
});
