import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dagmount, mountImpossible, statusOf } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { shell } from '../support/reader.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

/** 404 bytes, with characters of two bytes. */
const PREFIX = `abc/${'größe/'.repeat(50)}`;

describe('a mount whose source is longer than the kernel takes', {
  skip: mountImpossible || supervisorMissing,
}, () => {
  test('is made, listed whole, taken over, and made again in the place of a dead one', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]), PREFIX);
    const source = `s3://${store.bucket}/${PREFIX}`;
    const mount = await mountStore(t, store, { source });
    const { target, cacheDirectory } = mount;
    const look = async (pid: number): Promise<void> => {
      assert.equal(await shell(target, 'cat a.py'), 'a');
      const listed = await waitFor('the list to name the process', async () => {
        const { stdout } = await dagmount(['list', '--json']);
        const all = JSON.parse(stdout) as { source: string; target: string; pid: number | null }[];
        return all.find((each) => each.target === target && each.pid === pid);
      });
      assert.equal(listed.source, source);
    };
    const first = await mount.serverPid();
    await look(first);
    process.kill(first, 'SIGKILL');
    await mount.logged('taken-over');
    const second = (await statusOf(mount)).pid;
    assert.notEqual(second, first);
    await look(second);
    process.kill(mount.pid, 'SIGSTOP');
    process.kill(second, 'SIGKILL');
    process.kill(mount.pid, 'SIGKILL');
    await waitFor('the mount to be dead', async () =>
      (await shell('/', `stat ${target}/other 2>&1 || true`)).includes('not connected'),
    );
    const next = await mountStore(t, store, { source, target, cacheDirectory });
    await look(await next.serverPid());
    assert.equal(mountsAt(target).length, 1);
    assert.deepEqual(await next.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(target), []);
  });
});
