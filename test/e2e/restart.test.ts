import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { statusOf } from '../support/control.ts';
import { launchMount, type Mount, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import type { StoreProxy } from '../support/proxy.ts';
import { python, shell } from '../support/reader.ts';
import { treeAt } from '../support/shape.ts';
import type { Cleanup } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, type Store } from './fixture.ts';
import { proxiedPlace } from './proxied.ts';

/** For every entry below a directory: name, kind, inode, size, mtime in ns; for files also the content. */
const LOOK = [
  'import os, sys',
  'def look(path):',
  '    for entry in sorted(os.scandir(path), key=lambda e: e.name):',
  '        s = os.stat(entry.path)',
  '        print(entry.path, entry.is_dir(), s.st_ino, s.st_size, s.st_mtime_ns)',
  '        if entry.is_dir(): look(entry.path)',
  '        elif "late" not in entry.name: print(open(entry.path, "rb").read())',
  'look(sys.argv[1])',
].join('\n');

interface Place {
  readonly store: Store;
  readonly proxy: StoreProxy;
  readonly target: string;
  readonly mount: (args?: readonly string[], until?: 'failed') => Promise<Mount>;
  readonly look: () => Promise<string>;
}

/** A store behind a proxy, and a mount that a test can make again at the same place with the same cache. */
async function place(t: Cleanup, files: ReadonlyMap<string, string>): Promise<Place> {
  const { store, proxy, at, target, cacheDirectory } = await proxiedPlace(t, files);
  return {
    store,
    proxy,
    target,
    mount: async (args = [], until) => {
      if (until === undefined) return await mountStore(t, at, { target, cacheDirectory, args });
      const source = `s3://${store.bucket}/dags`;
      const all = ['--endpoint-url', proxy.endpoint, ...args];
      const mount = await launchMount(t, { source, target, cacheDirectory, env: at.env, args: all });
      await mount.logged(until);
      return mount;
    },
    look: () => python(LOOK, [treeAt(target)]),
  };
}

describe('promise 7, a restart needs no store', { skip: mountImpossible, concurrency: 3 }, () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`after ${signal} the tree and its cached content are there while the store is down`, async (t) => {
      const { store, proxy, mount, look } = await place(t, manyFiles(300, 500));
      const first = await mount();
      await store.put('dags/team_0000/dag_000001.py', 'changed');
      await store.put('dags/new/file.py', 'added');
      await waitFor(
        'the change',
        async () => (await shell(first.tree, 'cat new/file.py 2>/dev/null || true')) === 'added',
      );
      await waitFor(
        'the other change',
        async () => (await shell(first.tree, 'cat team_0000/dag_000001.py')) === 'changed',
      );
      const before = await look();
      await first.stop(signal);
      await proxy.goDown();

      const second = await mount();
      const restored = await second.logged('restored');
      assert.ok(Number(restored.number) >= 2);
      assert.equal(await look(), before);
      await second.logged('revalidation-failed');
      // A server that has not seen the store also knows how old the tree is.
      assert.ok(((await statusOf(second)).source.stalenessSeconds ?? -1) >= 0);

      await proxy.comeUp();
      await store.put('dags/after.py', 'later');
      await waitFor(
        'the next generation',
        async () => (await shell(second.tree, 'cat after.py 2>/dev/null || true')) === 'later',
      );
      const published = await second.logged('published');
      assert.equal(published.number, Number(restored.number) + 1);
      assert.ok((await look()).includes(before.split('\n').at(-3) ?? 'nothing'));
    });
  }

  test('a server that cannot be whole ends with its error, and leaves no mount of the kept tree', async (t) => {
    const { mount, target } = await place(t, new Map([['one.py', 'kept']]));
    await (await mount()).stop();
    const refusals = [
      // The server refuses the first setting before it shows the tree, and the second one after that.
      [['--ca-file', target], 'bad-setting'],
      [['--socket', join(target, '../none/control.sock')], 'socket-unusable'],
    ] as const;
    for (const [args, code] of refusals) {
      const second = await mount(args, 'failed');
      assert.equal((await second.logged('failed')).code, code);
      assert.equal((await second.exit).signal, null);
      assert.notEqual((await second.exit).code, 0);
      assert.deepEqual(mountsAt(target), []);
    }
    const third = await mount();
    await third.logged('restored');
    assert.equal(await shell(treeAt(target), 'cat one.py'), 'kept');
  });

  test('what is not local is EIO at once while the store is down, and is read when it is back', async (t) => {
    const files = new Map([
      ['small.py', 'local'],
      ['large.bin', 'x'.repeat(100_000)],
    ]);
    const { proxy, mount } = await place(t, files);
    const args = ['--prefetch', '1KiB'];
    await (await mount(args)).stop();
    await proxy.goDown();
    const second = await mount(args);
    await second.logged('revalidation-failed');
    const read = [
      'import errno, sys',
      'for name in "small.py", "large.bin":',
      '    try: print(len(open(sys.argv[1] + "/" + name, "rb").read()))',
      '    except OSError as error: print(errno.errorcode[error.errno])',
    ].join('\n');
    assert.equal(await python(read, [second.tree]), '5\nEIO\n');
    await proxy.comeUp();
    await waitFor('the content', async () => (await python(read, [second.tree])) === '5\n100000\n');
  });
});
