import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import type { Status } from '../../src/control/shapes/status.ts';
import { fuseNativeImpossible } from '../support/driver.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { dagmount, type Mount, type MountOptions, mountImpossible, startMount } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { cpuSeconds, descendants, processesNaming } from '../support/processes.ts';
import { shell, startReader } from '../support/reader.ts';
import { standsBy } from '../support/supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const env = { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' };
/** How long fuse-native's processes serve without a server, for those that a test has left alone. */
const session = { aloneMs: 3_000 };
/** A host that cannot load the addon of dagmount. */
const noAddon = { ...env, DAGMOUNT_ADDON: '/nowhere/dagmount.node' };

async function openMemory(test: Cleanup): Promise<MemoryS3> {
  const store = await MemoryS3.start();
  defer(test, () => store.close());
  store.put('dags/a.py', 'first');
  store.put('dags/pkg/b.py', 'b');
  return store;
}

function optionsFor(store: MemoryS3, options: Partial<MountOptions> = {}): MountOptions {
  const { args = ['--driver', 'fuse-native'], ...others } = options;
  const common = ['--endpoint-url', store.endpoint, '--poll-interval', '1s', '--settle', '0'];
  return { source: 's3://memory/dags', env, session, ...others, args: [...common, ...args] };
}

async function sessionOf(mount: Mount): Promise<number> {
  const [session] = descendants(await mount.serverPid());
  assert.ok(session !== undefined);
  return session;
}

async function statusOf(mount: Mount): Promise<Status> {
  return await new ControlClient(mount.socket()).ask<Status>('/v1/status');
}

describe('a mount by fuse-native', {
  skip: mountImpossible || fuseNativeImpossible,
  timeout: 600_000,
  concurrency: 3,
}, () => {
  test('shows what is published, says which driver it is, and leaves nothing', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store));
    assert.equal(await shell(mount.target, 'cat a.py pkg/b.py'), 'firstb');
    store.put('dags/a.py', 'second');
    await waitFor('the change', async () => (await shell(mount.target, 'cat a.py')) === 'second');
    const { mount: shown, degraded } = await statusOf(mount);
    assert.deepEqual([shown.driver, shown.takeover, degraded], ['fuse-native', 'remount', ['weak-driver']]);
    assert.deepEqual(
      mount.log().filter(({ level }) => level === 'warn' || level === 40),
      [],
    );
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
    assert.deepEqual(processesNaming(mount.target), []);
    assert.deepEqual(await readdir(mount.target), []);
  });

  test('takes the place of the kernel driver where there is no addon, with one warning', async (t) => {
    const store = await openMemory(t);
    const directory = await temporaryDirectory(t);
    const cacheDirectory = join(directory, 'cache');
    const mount = await startMount(
      t,
      optionsFor(store, { env: { ...noAddon, DAGMOUNT_DRIVER: 'auto' }, args: [], cacheDirectory }),
    );
    assert.equal(await shell(mount.target, 'cat a.py'), 'first');
    const warnings = mount.log().filter(({ level }) => level === 'warn' || level === 40);
    assert.deepEqual(
      warnings.map(({ event }) => event),
      ['weak-driver'],
    );
    assert.match(JSON.stringify(warnings[0]), /"limitations":\["1: .*","6: /);
    assert.deepEqual((await statusOf(mount)).degraded, ['unsupervised', 'weak-driver']);

    // A daemon without the addon locks the cache too, also against a daemon that has the addon.
    for (const other of [noAddon, env]) {
      const second = startMount(t, {
        ...optionsFor(store, { env: { ...other, DAGMOUNT_DRIVER: 'auto' }, args: [], target: mount.target }),
        cacheDirectory,
      });
      await assert.rejects(second, /"(target-mounted|already-running)"/);
    }
    const never = startMount(t, optionsFor(store, { env: noAddon, args: ['--driver', 'kernel'] }));
    await assert.rejects(never, /"no-addon"/);
  });

  test('whose server is killed goes on answering, and the next server mounts in its place', async (t) => {
    const store = await openMemory(t);
    const first = await startMount(t, optionsFor(store, { session: { aloneMs: 60_000 } }));
    const holder = startReader(
      'sh',
      ['-c', 'exec 3<"$0/a.py"; head -c 2 <&3; read -r line; cat <&3', first.target],
      { stdin: 'pipe' },
    );
    await waitFor('the holder', () => holder.stdout() === 'fi');
    const left = await sessionOf(first);
    first.kill('SIGKILL');
    await first.exit;
    assert.equal(await shell(first.target, 'cat a.py; ls pkg'), 'firstb.py\n', 'what is local is read on');
    store.put('dags/a.py', 'second');
    const { target, cacheDirectory } = first;
    const next = await startMount(t, {
      ...optionsFor(store, { target, cacheDirectory }),
      env: { ...env, ...first.environment },
    });
    await waitFor('the change', async () => (await shell(target, 'cat a.py')) === 'second');
    holder.tell('go');
    assert.equal(
      (await holder.done).stdout,
      'first',
      'who has a file of the mount before open reads it to its end',
    );
    assert.equal(mountsAt(target).length, 1);
    await waitFor('the process before to end', () => !existsSync(`/proc/${left}`));
    assert.deepEqual(await next.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(target), []);
  });

  test('whose server is killed gives all that is local, also what nobody has read before', async (t) => {
    const store = await openMemory(t);
    const names = Array.from({ length: 40 }, (_, index) => `f${index}.py`);
    for (const name of names) store.put(`dags/${name}`, `of ${name};`);
    store.put('dags/large.bin', Buffer.alloc(300_000, 'l'));
    const mount = await startMount(t, optionsFor(store, { session: { aloneMs: 60_000 } }));
    const holder = startReader(
      'sh',
      ['-c', 'exec 3<"$0/f7.py"; cat "$0/f1.py"; read -r line; cat <&3', mount.target],
      { stdin: 'pipe' },
    );
    await waitFor('the holder', () => holder.stdout() === 'of f1.py;');
    await store.close();
    const left = await sessionOf(mount);
    mount.kill('SIGKILL');
    await mount.exit;
    const all = names.map((name) => `of ${name};`).join('');
    assert.equal(await shell(mount.target, `cat ${names.join(' ')}`), all);
    assert.equal(await shell(mount.target, 'tr -d l < large.bin | wc -c; wc -c < large.bin'), '0\n300000\n');
    holder.tell('go');
    assert.equal((await holder.done).stdout, 'of f1.py;of f7.py;');
    process.kill(left, 'SIGTERM');
    await waitFor('the end of the mount', () => mountsAt(mount.target).length === 0);
  });

  test('is made in the place of the kernel driver’s by the server that is told so, and the other way round', async (t) => {
    const store = await openMemory(t);
    const file = join(await temporaryDirectory(t), 'options.yaml');
    const write = (driver: string): Promise<void> => writeFile(file, `driver: ${driver}\n`);
    await write('kernel');
    const mount = await startMount(
      t,
      optionsFor(store, { env: { ...env, DAGMOUNT_DRIVER: '' }, args: ['--config', file] }),
    );
    const restart = async (): Promise<void> => {
      const { code, stderr } = await dagmount(['restart', '--socket', mount.socket()]);
      assert.equal(code, 0, stderr + mount.stderr());
    };
    const kill = async (): Promise<void> => {
      process.kill(await mount.serverPid(), 'SIGKILL');
    };
    const changes = [
      ['fuse-native', restart],
      ['kernel', restart],
      ['fuse-native', kill],
    ] as const;
    for (const [index, [driver, replace]] of changes.entries()) {
      await write(driver);
      // The change makes the kernel forget the root: a look at the root then waits for the process of the old mount.
      const published = (): number => mount.log().filter(({ event }) => event === 'published').length;
      const before = published();
      store.put(`dags/new-${index}.py`, 'new');
      await waitFor('the change', () => published() > before);
      await replace();
      const made = (): number => mount.log().filter(({ event }) => event === 'mounted').length;
      await waitFor(`a mount by ${driver}`, () => made() === index + 2);
      assert.equal((await statusOf(mount)).mount.driver, driver);
      assert.equal(await shell(mount.target, 'cat a.py pkg/b.py'), 'firstb');
      assert.equal(mountsAt(mount.target).length, 1);
      assert.equal((await statusOf(mount)).mount.restarts, index + 1, mount.stderr());
    }
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('whose server is killed is taken away after a while, if no other comes', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store, { session: { aloneMs: 200 } }));
    mount.kill('SIGKILL');
    await mount.exit;
    await waitFor('the end of the mount', () => mountsAt(mount.target).length === 0);
  });

  test('whose server alone is killed is mounted anew by the next, and readers go on meanwhile', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store, { session: { aloneMs: 60_000 } }));
    const reader = startReader(
      'sh',
      [
        '-c',
        'exec 3<"$0/a.py" 4<"$0/pkg/b.py"; head -c 2 <&3; read -r line; cat <&3; cat <&4; cat "$0/a.py"',
        mount.target,
      ],
      { stdin: 'pipe' },
    );
    await waitFor('the reader', () => reader.stdout() === 'fi');
    const server = await mount.serverPid();
    process.kill(server, 'SIGKILL');
    await waitFor('another server', async () => (await mount.serverPid()) !== server);
    await waitFor('its mount', () => mount.log().filter(({ event }) => event === 'mounted').length === 2);
    reader.tell('go');
    const { stdout, stderr } = await reader.done;
    assert.equal(stdout, 'firstbfirst', stderr + mount.stderr());
    const { mount: shown } = await statusOf(mount);
    assert.deepEqual([shown.restarts, shown.takeover], [1, 'remount'], mount.stderr());
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  /** A mount whose server is dead, and without another one until the test calls `repair`. */
  async function mountWithoutServer(t: Cleanup, aloneMs: number) {
    const store = await openMemory(t);
    const file = join(await temporaryDirectory(t), 'options.yaml');
    const repair = (): Promise<void> => writeFile(file, 'settle: 0\n');
    await repair();
    const args = ['--driver', 'fuse-native', '--config', file];
    const mount = await startMount(t, optionsFor(store, { session: { aloneMs }, args }));
    await writeFile(file, 'settle: never\n');
    process.kill(await mount.serverPid(), 'SIGKILL');
    return { mount, repair };
  }

  test('that somebody takes away while its server is dead stays away', async (t) => {
    const { mount, repair } = await mountWithoutServer(t, 60_000);
    await shell('/', `umount -l ${mount.target} || fusermount -u -z ${mount.target}`);
    await repair();
    assert.deepEqual(await mount.exit, { code: 0, signal: null });
    assert.equal(mount.log().filter(({ event }) => event === 'mounted').length, 1);
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('that its process took away, since there was no server for long, is mounted again by the next one', async (t) => {
    const { mount, repair } = await mountWithoutServer(t, 200);
    await waitFor('the end of the mount', () => mountsAt(mount.target).length === 0);
    await repair();
    await waitFor('another mount', () => mount.log().filter(({ event }) => event === 'mounted').length === 2);
    assert.equal(await shell(mount.target, 'cat a.py'), 'first');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('whose process was stopped is mounted anew by the next server, and that process is killed', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store, { env: { ...env, DAGMOUNT_WATCHDOG_MS: '2000' } }));
    const stopped = await sessionOf(mount);
    process.kill(stopped, 'SIGSTOP');
    const waiting = startReader('cat', [`${mount.target}/pkg/b.py`]);
    await waitFor('another mount', () => mount.log().filter(({ event }) => event === 'mounted').length === 2);
    await waitFor('the end of what was stopped', () => !existsSync(`/proc/${stopped}`));
    assert.notEqual((await waiting.done).code, 0, 'who waited for it is told');
    assert.equal(await shell(mount.target, 'cat a.py'), 'first');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('whose process is killed is mounted anew by the next server', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store));
    const { ino } = statSync(mount.socket());
    process.kill(await sessionOf(mount), 'SIGKILL');
    await waitFor('another mount', () => mount.log().filter(({ event }) => event === 'mounted').length === 2);
    assert.equal((await mount.logged('failed')).code, 'session-failed');
    assert.equal(await shell(mount.target, 'cat a.py'), 'first');
    assert.equal(mountsAt(mount.target).length, 1);
    await waitFor('its socket', () => mount.log().filter(({ event }) => event === 'listening').length === 2);
    assert.equal(statSync(mount.socket()).ino, ino, 'clients that came between the two servers had to wait');
  });

  test('whose standby loses its process gets another standby, and its log says why', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store, { standby: true }));
    const standbys = (): readonly number[] => descendants(mount.pid).filter((pid) => standsBy(pid));
    const standby = await waitFor('a standby', () => standbys()[0]);
    let [spent, asks] = [0, 0];
    await waitFor('a standby at rest', () => {
      const before = spent;
      spent = cpuSeconds(standby);
      asks = spent === before && descendants(standby).length > 0 ? asks + 1 : 0;
      return asks === 10;
    });
    process.kill(descendants(standby)[0]!, 'SIGKILL');
    assert.equal((await mount.logged('failed')).code, 'session-failed');
    await waitFor('another standby', () => standbys().some((pid) => pid !== standby));
    assert.equal(await shell(mount.target, 'cat a.py'), 'first');
    assert.equal(mount.log().filter(({ event }) => event === 'mounted').length, 1);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });

  test('whose process is killed where there is no supervisor ends with an error, and leaves no dead mount', async (t) => {
    const store = await openMemory(t);
    const mount = await startMount(t, optionsFor(store, { env: noAddon }));
    process.kill(await sessionOf(mount), 'SIGKILL');
    assert.deepEqual(await mount.exit, { code: 70, signal: null });
    assert.equal((await mount.logged('failed')).code, 'session-failed');
    assert.deepEqual(mountsAt(mount.target), []);
  });

  for (const node of (process.env.DAGMOUNT_TEST_NODES ?? '').split(' ').filter((path) => path !== '')) {
    test(`serves under ${node.replace(/.*(node-\d+).*/, '$1')}`, async (t) => {
      const store = await openMemory(t);
      store.put('dags/large.bin', Buffer.alloc(1_000_000, 'l'));
      const mount = await startMount(t, optionsFor(store, { node }));
      assert.equal(
        await shell(mount.target, 'cat a.py pkg/b.py; head -c 700000 large.bin | wc -c'),
        'firstb700000\n',
      );
      const twice = 'for i in 1 2 3 4 5 6 7 8; do cat large.bin & done | wc -c; wait';
      assert.equal(await shell(mount.target, twice), '8000000\n');
      assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    });
  }
});
