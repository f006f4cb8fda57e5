import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ownPackage } from '../../src/base/own-package.ts';
import { mountId } from '../../src/config/mount-id.ts';
import {
  isStateOf,
  type MountState,
  readMountStates,
  type UnreadableState,
} from '../../src/host/mount-state.ts';
import { isRunning, ownProcess } from '../../src/host/process.ts';
import { realTarget } from '../../src/host/real-target.ts';
import { prepareRuntimeDirectory, runtimeDirectory } from '../../src/host/runtime-paths.ts';
import { removeMountState, writeMountState } from '../../src/host/write-mount-state.ts';
import { startChild } from '../support/child.ts';
import { repository } from '../support/repository.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { refusal, resolved } from './resolved.ts';

const uid = process.geteuid?.() ?? 0;

describe('the mount id', () => {
  const mount = { endpoints: [undefined] as const, bucket: 'b', prefix: 'p/', target: '/opt/dags' };

  test('is the first 12 hex digits of SHA-256 over endpoint or aws, bucket, prefix and mount point', () => {
    const digest = createHash('sha256').update('aws\0b\0p/\0/opt/dags').digest('hex');
    assert.equal(mountId(mount), digest.slice(0, 12));
  });

  test('stays as it is where an endpoint is put behind the first', () => {
    assert.equal(mountId({ ...mount, endpoints: [undefined, 'http://second'] }), mountId(mount));
    const other = { ...mount, endpoints: ['http://second'] as const };
    assert.equal(
      mountId({ ...other, endpoints: ['http://second', undefined, 'http://third'] }),
      mountId(other),
    );
    assert.notEqual(mountId({ ...mount, endpoints: ['http://second', undefined] }), mountId(mount));
  });

  test('differs with each of its parts, and with where they part', () => {
    const ids = [
      mount,
      { ...mount, endpoints: ['http://x'] as const },
      { ...mount, bucket: 'c' },
      { ...mount, prefix: '' },
      { ...mount, target: '/opt/dag' },
      { ...mount, bucket: 'bp/', prefix: '' },
    ].map(mountId);
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('the runtime directory', () => {
  test('is in /run as root, else in XDG_RUNTIME_DIR, else in /tmp', () => {
    const env = { XDG_RUNTIME_DIR: '/run/user/1000' };
    assert.equal(runtimeDirectory({ uid: 0, env }), '/run/dagmount');
    assert.equal(runtimeDirectory({ uid: 1000, env }), '/run/user/1000/dagmount');
    assert.equal(runtimeDirectory({ uid: 1000, env: {} }), '/tmp/dagmount-1000');
    assert.equal(runtimeDirectory({ uid: 1000, env: { XDG_RUNTIME_DIR: 'x' } }), '/tmp/dagmount-1000');
  });

  test('is made for its owner alone, and taken as it is the next time', async (t) => {
    const directory = join(await temporaryDirectory(t), 'a/dagmount');
    prepareRuntimeDirectory(directory, uid);
    assert.equal(statSync(directory).mode & 0o777, uid === 0 ? 0o711 : 0o700);
    prepareRuntimeDirectory(directory, uid);
  });

  test('is refused where another owns it, may write to it, or it is none', async (t) => {
    const directory = await temporaryDirectory(t);
    assert.match(
      refusal(() => prepareRuntimeDirectory(directory, uid + 1)),
      /^runtime-unsafe: .*another user/,
    );
    chmodSync(directory, 0o777);
    assert.match(
      refusal(() => prepareRuntimeDirectory(directory, uid)),
      /^runtime-unsafe: .*by others/,
    );
    const link = join(await temporaryDirectory(t), 'link');
    symlinkSync(await temporaryDirectory(t), link);
    assert.match(
      refusal(() => prepareRuntimeDirectory(link, uid)),
      /^runtime-(unsafe|unwritable): /,
    );
  });

  test('is refused where others could put another one in its place', async (t) => {
    const directory = await temporaryDirectory(t);
    chmodSync(directory, 0o777);
    assert.match(
      refusal(() => prepareRuntimeDirectory(join(directory, 'dagmount'), uid)),
      /^runtime-unsafe: .*could be replaced by others: .*everybody/,
    );
    assert.deepEqual(readdirSync(directory), []);
    chmodSync(directory, 0o1777);
    prepareRuntimeDirectory(join(directory, 'dagmount'), uid);
  });

  test('is refused where it cannot be made', async (t) => {
    const file = join(await temporaryDirectory(t), 'file');
    writeFileSync(file, '');
    assert.match(
      refusal(() => prepareRuntimeDirectory(join(file, 'x'), uid)),
      /^runtime-unwritable: .*ENOTDIR/,
    );
  });

  test('is where DAGMOUNT_RUNTIME_DIR says, also as root, which is what an error advises', async (t) => {
    const file = join(await temporaryDirectory(t), 'file');
    writeFileSync(file, '');
    for (const user of [0, 1000]) {
      const advice = refusal(() => prepareRuntimeDirectory(join(file, 'x'), user));
      const [variable = ''] = /DAGMOUNT_\w+/.exec(advice) ?? [];
      const env = { XDG_RUNTIME_DIR: '/run/user/1000', [variable]: '/srv/run/' };
      assert.equal(runtimeDirectory({ uid: user, env }), '/srv/run');
      // For root, XDG_RUNTIME_DIR would change nothing, so the error does not advise it.
      assert.equal(/XDG_RUNTIME_DIR/.test(advice), user !== 0);
    }
    const taken = await temporaryDirectory(t);
    chmodSync(taken, 0o777);
    assert.match(
      refusal(() => prepareRuntimeDirectory(taken, uid)),
      /Remove it.*DAGMOUNT_RUNTIME_DIR/,
    );
    assert.match(
      refusal(() => runtimeDirectory({ uid: 0, env: { DAGMOUNT_RUNTIME_DIR: 'run' } })),
      /^bad-value: DAGMOUNT_RUNTIME_DIR cannot be "run".*absolute/,
    );
    // The variable is no option of `mount`, and is not refused as an unknown one.
    resolved([], { DAGMOUNT_RUNTIME_DIR: '/srv/run' });
  });
});

describe('the state of a mount', () => {
  const state: MountState = {
    pid: 7,
    source: 's3://b/',
    target: '/opt/a b',
    ready: false,
    startedAt: '2026-01-01T00:00:00.000Z',
    socket: null,
  };

  test('is written for its owner alone, replaced as a whole, and read again', async (t) => {
    const directory = await temporaryDirectory(t);
    writeMountState(directory, 'abc', state);
    writeMountState(directory, 'abc', { ...state, ready: true });
    const release = { ref: 'production', seq: 42, id: `sha256-${'a1'.repeat(32)}` };
    writeMountState(directory, 'def', { ...state, release });
    assert.equal(statSync(join(directory, 'abc/state.json')).mode & 0o777, 0o600);
    assert.equal(statSync(join(directory, 'abc')).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(join(directory, 'abc')), ['state.json']);
    const states = [...readMountStates(directory, uid)].sort((a, b) => Number(a.ready) - Number(b.ready));
    assert.deepEqual(states, [
      { ...state, release, uid, directory: join(directory, 'def') },
      { ...state, uid, ready: true, directory: join(directory, 'abc') },
    ]);
  });

  test('is taken away with its directory, unless something else is in that', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const id of ['abc', 'def']) writeMountState(directory, id, state);
    writeFileSync(join(directory, 'def/other'), '');
    for (const id of ['abc', 'def', 'missing']) removeMountState(directory, id);
    assert.deepEqual(readMountStates(directory, uid), []);
    assert.ok(!existsSync(join(directory, 'abc')));
    assert.deepEqual(readdirSync(join(directory, 'def')), ['other']);
  });

  test('is left out where it cannot be read, is damaged, or another owns the directory', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const [id, text] of Object.entries({
      cut: '{"pid": 7',
      list: '[]',
      nothing: 'null',
      partial: '{"pid": 7, "source": "s3://b/"}',
      step: JSON.stringify({ ...state, release: { ref: 'production', seq: 'x', id: 7 } }),
    })) {
      mkdirSync(join(directory, id));
      writeFileSync(join(directory, id, 'state.json'), text);
    }
    mkdirSync(join(directory, 'empty'));
    writeFileSync(join(directory, 'x.log'), '');
    const unreadable: string[] = [];
    const tell = ({ path, reason }: UnreadableState): void => void unreadable.push(`${path} ${reason}`);
    assert.deepEqual(readMountStates(directory, uid, tell), []);
    assert.deepEqual(unreadable.sort(), [
      `${directory}/cut/state.json is not JSON`,
      `${directory}/list/state.json does not say what a mount says of itself`,
      `${directory}/nothing/state.json does not say what a mount says of itself`,
      `${directory}/partial/state.json does not say what a mount says of itself`,
      `${directory}/step/state.json does not say what a mount says of itself`,
    ]);
    unreadable.length = 0;
    writeMountState(directory, 'abc', state);
    assert.equal(readMountStates(directory, uid).length, 1);
    assert.deepEqual(readMountStates(directory, uid + 1, tell), []);
    assert.deepEqual(unreadable, [`${directory} belongs to another user (uid ${uid})`]);
    assert.deepEqual(readMountStates(join(directory, 'missing'), uid), []);
  });

  test('that names what is no process, or a group of them, is not believed', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const pid of [0, -1, 1.5, 2 ** 31]) {
      writeMountState(directory, 'abc', { ...state, pid });
      assert.deepEqual(readMountStates(directory, uid), [], String(pid));
      writeMountState(directory, 'abc', { ...state, supervisor: { pid } });
      assert.deepEqual(readMountStates(directory, uid), [], String(pid));
    }
  });

  test('names its socket by a path, or is not believed', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const socket of ['', 'relative.sock', '/with/\0']) {
      writeMountState(directory, 'abc', { ...state, socket });
      assert.deepEqual(readMountStates(directory, uid), [], socket);
    }
  });

  test('says nothing of whose it is: that is the user whose file it is, in all that it names', async (t) => {
    const directory = await temporaryDirectory(t);
    const lies = { ...state, uid: 7, directory: '/etc', supervisor: { pid: 8, uid: 7 } };
    writeMountState(directory, 'abc', lies);
    const [found] = readMountStates(directory, uid);
    assert.deepEqual([found?.uid, found?.supervisor?.uid, found?.directory], [uid, uid, `${directory}/abc`]);
  });

  test('is of a mount that the same user made, and of no other on its place', () => {
    const mount = { mountPoint: state.target, superOptions: ['rw', 'user_id=5'] };
    assert.ok(isStateOf({ ...state, uid: 5 }, mount));
    assert.ok(!isStateOf({ ...state, uid: 6 }, mount));
    assert.ok(!isStateOf({ ...state, uid: 5, target: '/opt/c' }, mount));
  });

  test('tells a process that runs from one that has ended', async (t) => {
    assert.ok(isRunning({ pid: process.pid }));
    assert.ok(isRunning(ownProcess()));
    const { startTicks = 0 } = ownProcess();
    assert.ok(startTicks > 0);
    assert.ok(!isRunning({ pid: process.pid, startTicks: startTicks - 1 }), 'another had this id before');
    const child = startChild('sleep', ['60']);
    defer(t, () => child.kill('SIGKILL'));
    assert.ok(isRunning({ pid: child.pid }));
    child.kill('SIGKILL');
    await waitFor('the child to end', () => !isRunning({ pid: child.pid }));
  });
});

describe('a mount point', () => {
  test('is found through symbolic links, relative ones and those in the middle', async (t) => {
    const directory = realTarget(await temporaryDirectory(t), '/');
    mkdirSync(join(directory, 'real/dags'), { recursive: true });
    symlinkSync('real', join(directory, 'middle'));
    symlinkSync(join(directory, 'middle/dags'), join(directory, 'link'));
    symlinkSync('link', join(directory, 'again'));
    const real = join(directory, 'real/dags');
    for (const path of ['link', 'again', 'middle/dags', './middle/../real/dags/', 'real/dags']) {
      assert.equal(realTarget(path, directory), real, path);
    }
    assert.equal(realTarget(join(directory, 'middle/missing/x'), '/'), join(directory, 'real/missing/x'));
  });

  test('that leads round in a circle is left to whoever uses it', async (t) => {
    const directory = await temporaryDirectory(t);
    symlinkSync('b', join(directory, 'a'));
    symlinkSync('a', join(directory, 'b'));
    assert.match(realTarget(join(directory, 'a'), '/'), /\/[ab]$/);
  });
});

test('the version is that of the package, wherever its files are', () => {
  const { directory, version } = ownPackage();
  assert.equal(directory, repository);
  assert.match(version, /^\d+\.\d+\.\d+/);
});
