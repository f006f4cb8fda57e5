import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { launchMount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { shell, startPython, startReader } from '../support/reader.ts';
import { shareMounts } from '../support/shared-mounts.ts';
import { Service, underSystemd } from '../support/stand-in-systemd.ts';
import { serverOf, supervisorMissing } from '../support/supervised.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

const KEPT = ['control', 'fuse', 'journal', 'lock', 'mount'];

function environmentOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .map((each) => each.split('=')[0] ?? '');
}

const isRoot = process.getuid?.() === 0;

describe('a mount that is a service of systemd', {
  skip: mountImpossible || supervisorMissing,
  concurrency: 2,
}, () => {
  test('outlives a restart of the service and the death of all its processes, and readers notice nothing', async (t) => {
    const store = await openStore(t, manyFiles(150, 2_000));
    const directory = await temporaryDirectory(t);
    const target = join(directory, 'dags');
    await mkdir(target);
    if (isRoot) await shareMounts(t, directory);
    // Only root can make mount namespaces; without root, this reader is like the others.
    const enter = isRoot ? ['unshare', '--mount', '--propagation', 'slave'] : ['env'];
    const script = 'echo here; read line; cat "$0"/team_0001/late.py; read line; cat "$0"/team_0001/late.py';
    const [program = 'env', ...before] = [...enter, 'sh', '-c', script, target];
    const early = startReader(program, before, { stdin: 'pipe' });
    await waitFor('a reader in another mount namespace', () => early.stdout().includes('here'));
    const socket = join(directory, 'notify');
    const mount = await mountStore(t, store, { target, wrapper: underSystemd(socket) });
    const service = new Service(mount);
    const device = mountsAt(target)[0]?.minor;
    const readers = Array.from({ length: 2 }, () =>
      startPython('scan.py', [target, '150'], { stdin: 'pipe' }),
    );
    await service.killAll();
    await store.put('dags/team_0001/late.py', 'late');
    const late = 'cat team_0001/late.py 2>/dev/null || true';
    await waitFor('what is new', async () => (await shell(target, late)) === 'late');
    early.tell('the mount is there');
    await service.restart();
    early.tell('it is there still');
    const seen = await early.done;
    assert.deepEqual([seen.code, seen.stdout], [0, 'here\nlatelate']);
    for (const reader of readers) {
      reader.end();
      const { code, stderr } = await reader.done;
      assert.deepEqual([code, stderr], [0, '']);
    }
    assert.deepEqual(
      mountsAt(target).map(({ minor }) => minor),
      [device],
      'it is the same mount',
    );
    assert.deepEqual(
      service.starts().map(({ names }) => [...names].sort()),
      [[], KEPT, KEPT],
    );
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(target), []);
    const end = service.events().at(-1);
    assert.deepEqual(end?.event === 'ended' && end.names, [], 'nothing is left to be kept');
  });

  test('says that it is ready, how it is, that it is well and that it stops; what it starts says nothing', async (t) => {
    const store = await openStore(t, manyFiles(5, 100));
    const name = `@dagmount-test-${process.pid}`;
    const mount = await mountStore(t, store, { wrapper: underSystemd(name) });
    const service = new Service(mount);
    const main = service.starts()[0]?.pid ?? -1;
    const server = serverOf(main) ?? -1;
    await waitFor('it to be ready', () => service.told('READY').length === 1);
    await waitFor('its status', () =>
      service.told('STATUS').some((line) => /^Generation 1, 5 files;/.test(line)),
    );
    await waitFor('signs of life', () => service.told('WATCHDOG').length > 2);
    const inherited = environmentOf(server).filter((each) =>
      /^(NOTIFY_|LISTEN_|WATCHDOG_|FDSTORE)/.test(each),
    );
    assert.deepEqual(inherited, []);
    process.kill(server, 'SIGKILL');
    await waitFor('that the server ended', () =>
      service.told('STATUS').some((line) => /waiting for a new one/.test(line)),
    );
    await waitFor('another one', () => /^Generation 1/.test(service.told('STATUS').at(-1) ?? ''));
    assert.equal(service.starts().length, 1, 'a server that dies is no matter of the service');
    assert.deepEqual(
      service.told('FDPOLL'),
      service.told('FDSTORE').map(() => '0'),
    );
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(service.told('STOPPING'), ['1']);
    assert.deepEqual(
      service.events().filter(({ event }) => event === 'refused'),
      [],
      'nobody but the main process speaks',
    );
  });

  test('is made anew by a restart where the settings name another place by then', async (t) => {
    const store = await openStore(t, manyFiles(5, 100));
    const directory = await temporaryDirectory(t);
    const [before, after, name] = ['before', 'after', 'name'].map((each) => join(directory, each)) as [
      string,
      string,
      string,
    ];
    for (const each of [before, after]) await mkdir(each);
    await symlink(before, name);
    const mount = await launchMount(t, {
      source: `s3://${store.bucket}/dags`,
      target: name,
      env: store.env,
      args: ['--endpoint-url', store.endpoint, '--settle', '0'],
      wrapper: underSystemd(join(directory, 'notify')),
    });
    const service = new Service(mount);
    await waitFor('it to be ready', () => service.told('READY').length === 1, 60_000);
    assert.equal(mountsAt(before).length, 1);
    await rm(name);
    await symlink(after, name);
    await service.restart();
    assert.deepEqual([mountsAt(before).length, mountsAt(after).length], [0, 1]);
    assert.equal((await shell(after, 'find . -type f | wc -l')).trim(), '5');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(after), []);
  });

  test('takes nothing that was meant for another process, and does without a systemd that is gone', async (t) => {
    const store = await openStore(t, manyFiles(5, 100));
    const nobody = join(await temporaryDirectory(t), 'notify');
    const env = {
      ...store.env,
      NOTIFY_SOCKET: nobody,
      WATCHDOG_USEC: '1000',
      WATCHDOG_PID: '1',
      LISTEN_FDS: '2',
      LISTEN_FDNAMES: 'fuse:lock',
      LISTEN_PID: '1',
    };
    const mount = await mountStore(t, store, { env });
    assert.equal((await shell(mount.target, 'find . -type f | wc -l')).trim(), '5');
    assert.equal(
      mount.log().some(({ event }) => event === 'taken-over'),
      false,
    );
    assert.deepEqual(
      mount
        .stderr()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{')),
      [],
    );
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
});
