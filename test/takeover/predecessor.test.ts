import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { KeptMount } from '../../src/takeover/kept/kept-mount.ts';
import { limitWaiting } from '../../src/takeover/predecessor.ts';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, cli, mountImpossible } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** What the supervisor is told to abort; `source`: of the mount at the target. */
function limited({ isInherited, source }: { readonly isInherited: boolean; readonly source?: string }) {
  const told: (number | undefined)[] = [];
  limitWaiting({
    supervised: {
      mount: { isInherited } as KeptMount,
      startAfresh: () => assert.fail(),
      setTakeoverDeadline: (connection) => void told.push(connection),
    },
    place: { isHeld: source !== undefined, isHeldFor: (wanted) => wanted === source, connection: 50 },
    config: { source: 's3://bucket/dags' } as MountConfig,
  });
  return told;
}

test('a server names the connection of the mount that it inherited', () => {
  assert.deepEqual(limited({ isInherited: true, source: 's3://bucket/dags' }), [50]);
});

test('a server names no connection if another mount is at the target, or none', () => {
  assert.deepEqual(limited({ isInherited: true, source: 's3://bucket/other' }), [undefined]);
  assert.deepEqual(limited({ isInherited: true }), [undefined]);
});

test('a server that inherited nothing sets no deadline before it has a mount', () => {
  assert.deepEqual(limited({ isInherited: false, source: 's3://bucket/dags' }), []);
});

test('a server that cannot go on with the mount that it inherited has set the deadline', {
  skip: mountImpossible,
}, async (t) => {
  const directory = await temporaryDirectory(t);
  const target = join(directory, 'dags');
  await mkdir(target);
  // A mount point that is not empty is refused.
  await writeFile(join(target, 'file'), '');
  const inheriting = join(repository, 'test/support/inheriting.py');
  const mount = ['mount', 's3://bucket/dags', target, '--cache-dir', join(directory, 'cache')];
  const server = [process.execPath, cli, ...mount, '--driver', 'kernel', '--takeover-deadline', '7s'];
  const env = cleanEnvironment({ XDG_RUNTIME_DIR: directory });
  const child = startChild('python3', [inheriting, ...server], { env });
  await child.exit;
  const messages = JSON.parse(child.stdout()) as readonly string[];
  assert.ok(messages.includes('TAKEOVER=7000 /dev/null'), `${child.stdout()} ${child.stderr()}`);
  assert.ok(!messages.includes('WATCHDOG=1'), child.stdout());
});
