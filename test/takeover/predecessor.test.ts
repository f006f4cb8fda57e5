import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { Mount } from '../../src/host/mountinfo.ts';
import type { KeptMount } from '../../src/takeover/kept/kept-mount.ts';
import { findInherited, isToBeReplaced, limitWaiting } from '../../src/takeover/predecessor.ts';
import { startChild } from '../support/child.ts';
import { cleanEnvironment, cli, mountImpossible } from '../support/mount.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { repository } from '../support/repository.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

interface Case {
  /** The source of the inherited connection is always `s3://bucket/dags`. */
  readonly isInherited: boolean;
  /** fuse-native leaves no device that another server could use. */
  readonly hasDevice?: boolean;
  /** The source of the mount at the target. */
  readonly source?: string;
}

/** What becomes of the mount, what the supervisor is told to abort, and how often the table of mounts was read. */
async function taken(t: Cleanup, { isInherited, hasDevice = isInherited, source }: Case) {
  const told: (number | undefined)[] = [];
  let looks = 0;
  const directory = await temporaryDirectory(t);
  const supervised = {
    mount: {
      isInherited,
      device: hasDevice ? 7 : undefined,
      other: undefined,
      identity: { id: 'mount-id' },
      lost: () => undefined,
    } as unknown as KeptMount,
    startAfresh: () => assert.fail(),
    setTakeoverDeadline: (connection: number | undefined) => void told.push(connection),
  };
  const mountOf = (wanted: string): Mount | undefined => {
    looks += 1;
    return wanted === source ? ({ device: { major: 0, minor: 50 } } as Mount) : undefined;
  };
  const place = { isHeld: source !== undefined, mountOf };
  const config = {
    source: 's3://bucket/dags',
    target: join(directory, 'dags'),
    cacheDir: join(directory, 'cache'),
    include: [],
    exclude: [],
    trees: [],
  } as unknown as MountConfig;
  const driver = { unmount: () => assert.fail() };
  const log = new RecordingLog();
  const options = { supervised, place, driver, config, runtimeDirectory: directory, log };
  const found = await findInherited(options);
  if (found !== 'gone') limitWaiting(options, found);
  return { found: found === 'gone' ? found : found?.device.minor, told, looks };
}

test('a server names the connection of the mount that it inherited, and reads the table of mounts once', async (t) => {
  const expected = { found: 50, told: [50], looks: 1 };
  assert.deepEqual(await taken(t, { isInherited: true, source: 's3://bucket/dags' }), expected);
});

test('an inherited mount is gone if another mount is at the target, or none', async (t) => {
  const expected = { found: 'gone', told: [], looks: 1 };
  assert.deepEqual(await taken(t, { isInherited: true, source: 's3://bucket/other' }), expected);
  assert.deepEqual(await taken(t, { isInherited: true }), expected);
});

test('a server names no connection if fuse-native left no mount, and another one is at the target, or none', async (t) => {
  const expected = { found: undefined, told: [undefined], looks: 1 };
  const left = { isInherited: true, hasDevice: false };
  assert.deepEqual(await taken(t, { ...left, source: 's3://bucket/other' }), expected);
  assert.deepEqual(await taken(t, left), expected);
});

test('a mount that was just found is replaced without another look', async () => {
  const config = { source: 's3://bucket/dags', target: '/missing' } as MountConfig;
  const mount = { device: { major: 0, minor: 50 } } as Mount;
  assert.equal(await isToBeReplaced({ config, runtimeDirectory: '/missing' }, mount), true);
  await assert.rejects(isToBeReplaced({ config, runtimeDirectory: '/missing' }, undefined), {
    code: 'target-missing',
  });
});

test('a server that inherited nothing sets no deadline before it has a mount', async (t) => {
  const expected = { found: undefined, told: [], looks: 0 };
  assert.deepEqual(await taken(t, { isInherited: false, source: 's3://bucket/dags' }), expected);
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
