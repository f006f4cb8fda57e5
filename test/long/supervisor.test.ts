import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { manyFiles, mountStore, openStore } from '../e2e/fixture.ts';
import { launchMount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { shell } from '../support/reader.ts';
import { testsTrees } from '../support/shape.ts';
import { argumentsOf, processesNamed, serverOf, supervisorMissing } from '../support/supervised.ts';
import { waitFor } from '../support/wait-for.ts';

interface Status {
  readonly pid: number;
  readonly mount: { readonly supervised: boolean; readonly restarts: number; readonly takeover: string };
}

async function statusOf(socket: string): Promise<Status> {
  const text = await shell('/', `curl -s --max-time 30 --unix-socket ${socket} http://d/v1/status`);
  return JSON.parse(text) as Status;
}

describe('a mount under a supervisor', { skip: mountImpossible || supervisorMissing, concurrency: 2 }, () => {
  test('goes on with a new server when one stops answering; status and the waiting client say so', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const env = { ...store.env, DAGMOUNT_WATCHDOG_MS: '3000' };
    const mount = await mountStore(t, store, { env });
    const socket = mount.socket();
    const before = await statusOf(socket);
    assert.deepEqual(before.mount.supervised, true);
    assert.equal(before.mount.restarts, 0);
    const stopped = serverOf(mount.pid);
    assert.equal(stopped, before.pid);
    process.kill(before.pid, 'SIGSTOP');
    assert.equal((await shell(mount.tree, 'stat absent 2>/dev/null; ls -R | wc -l')).trim() !== '', true);
    const after = await statusOf(socket);
    assert.notEqual(after.pid, before.pid);
    assert.ok(after.mount.restarts >= 1);
    await waitFor('the log to say why', () => mount.log().some(({ cause }) => cause === 'silent'));
    await mount.logged('stuck');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('that is taken away from outside ends with 0, and stays away', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const mount = await mountStore(t, store);
    await shell('/', `umount ${mount.target} || fusermount3 -u ${mount.target}`);
    assert.deepEqual(await mount.exit, { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
  });

  test('that is taken away while its server is dead ends with 0, and stays away', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const mount = await mountStore(t, store);
    const socket = mount.socket();
    process.kill(serverOf(mount.pid) ?? -1, 'SIGKILL');
    await shell('/', `umount -l ${mount.target} || fusermount3 -u -z ${mount.target}`);
    assert.deepEqual(await mount.exit, { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
    for (const left of [socket, socket.replace(/\.sock$/, '')]) assert.ok(!existsSync(left), left);
  });

  test('that cannot be made ends with the code of its server', {
    skip: testsTrees && 'a mount of several trees shows the others',
  }, async (t) => {
    const store = await openStore(t, manyFiles(1, 100));
    const mount = await launchMount(t, {
      source: `s3://${store.bucket}/nothing-here`,
      env: store.env,
      args: ['--endpoint-url', store.endpoint],
    });
    assert.deepEqual(await mount.exit, { code: 66, signal: null });
  });

  test('whose supervisor is killed goes on, starts another one, and has a successor by that', async (t) => {
    const store = await openStore(t, manyFiles(20, 100));
    const mount = await mountStore(t, store);
    const socket = mount.socket();
    const { pid } = await statusOf(socket);
    process.kill(mount.pid, 'SIGKILL');
    const other = await waitFor('another supervisor', () => {
      const found = processesNamed('dagmount-superv').filter((each) =>
        argumentsOf(each).includes(String(pid)),
      );
      return found[0];
    });
    await waitFor('it to be counted on', async () => (await statusOf(socket)).mount.supervised);
    assert.deepEqual((await statusOf(socket)).mount.restarts, 0);
    process.kill(pid, 'SIGKILL');
    assert.equal((await shell(mount.tree, 'stat absent 2>/dev/null; find . -type f | wc -l')).trim(), '20');
    const after = await statusOf(socket);
    assert.notEqual(after.pid, pid);
    assert.deepEqual([after.mount.supervised, after.mount.restarts], [true, 1]);
    process.kill(other, 'SIGTERM');
    await mount.exit;
    assert.deepEqual(mountsAt(mount.target), []);
  });
});
