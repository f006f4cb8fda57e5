import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { dagmount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { processesNaming } from '../support/processes.ts';
import { shell, startPython, startReader } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { startStormReaders, stormObjects } from './storm.ts';

describe('ending a mount', { skip: mountImpossible }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`by ${signal} unmounts and exits 0`, async (t) => {
      const store = await openStore(t, new Map([['a.py', 'a']]));
      const mount = await mountStore(t, store);
      assert.equal(await shell(mount.tree, 'cat a.py'), 'a');
      assert.deepEqual(await mount.stop(signal), { code: 0, signal: null });
      assert.deepEqual(mountsAt(mount.target), []);
      assert.deepEqual(processesNaming(mount.target), []);
      assert.deepEqual(await readdir(mount.target), []);
    });
  }

  test('by SIGTERM during a storm of readers leaves no mount, no process and no hung reader', async (t) => {
    const store = await openStore(t, stormObjects());
    const mount = await mountStore(t, store);
    const readers = startStormReaders(mount, 8, 60_000);
    await shell(mount.tree, 'find . -type f -exec cat {} + | wc -c');
    assert.deepEqual(await mount.stop('SIGTERM'), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
    for (const reader of readers) reader.end();
    await Promise.all(readers.map((reader) => reader.done));
    assert.deepEqual(processesNaming(mount.target), []);
  });

  test('that is busy goes on to unmount lazily, and says so', async (t) => {
    const store = await openStore(t, new Map([['pkg/a.py', 'a']]));
    const mount = await mountStore(t, store);
    const holder = startReader('sh', ['-c', 'cd "$0"/pkg && echo inside && read -r line', mount.tree], {
      stdin: 'pipe',
    });
    await waitFor('the holder', () => holder.stdout() === 'inside\n');
    assert.deepEqual(await mount.stop('SIGTERM'), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
    assert.equal(mount.log().filter(({ event }) => event === 'mount-busy').length, 1);
    holder.tell('end');
    await holder.done;
  });

  test('by dagmount unmount ends the daemon', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const mount = await mountStore(t, store);
    const unmounted = await dagmount(['unmount', mount.target]);
    assert.equal(unmounted.code, 0, unmounted.stderr);
    assert.deepEqual(mountsAt(mount.target), []);
    assert.deepEqual(await mount.exit, { code: 0, signal: null });
  });

  test('by dagmount unmount leaves nothing of a mount whose processes were killed, but for its tree', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const mount = await mountStore(t, store);
    const socket = mount.socket();
    const directory = socket.replace(/\.sock$/, '');
    assert.deepEqual([existsSync(socket), existsSync(directory)], [true, true]);
    mount.kill('SIGKILL');
    await mount.exit;
    const unmounted = await dagmount(['unmount', mount.target], mount.environment);
    assert.equal(unmounted.code, 0, unmounted.stderr);
    assert.deepEqual(mountsAt(mount.target), []);
    assert.deepEqual([existsSync(socket), existsSync(directory)], [false, false]);
    const { target, cacheDirectory } = mount;
    const next = await mountStore(t, store, { target, cacheDirectory, env: mount.environment });
    assert.equal((await next.logged('restored')).from, 'cache');
  });

  test('by umount from outside ends the daemon', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const mount = await mountStore(t, store);
    await shell('/', `umount '${mount.target}' 2>/dev/null || fusermount3 -u '${mount.target}'`);
    assert.equal((await mount.exit).code, 0);
  });

  test('by SIGTERM while its first content still arrives is clean', async (t) => {
    const store = await openStore(t, stormObjects());
    const mount = await mountStore(t, store, { until: 'mounted', args: ['--concurrency', '1'] });
    const reader = startPython('walk.py', [mount.tree]);
    assert.deepEqual(await mount.stop('SIGTERM'), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
    await reader.done;
  });
});
