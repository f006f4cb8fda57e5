import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/shapes/status.ts';
import { asking, dagmount, type Mount, mountImpossible, statusOf } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { treeAt } from '../support/shape.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

const FILES = 100;
const count = async (target: string): Promise<number> =>
  Number(await shell(target, 'find . -type f | wc -l'));

describe('promise 5, a mass deletion is held', { skip: mountImpossible, concurrency: 3 }, () => {
  test('a listing that loses 60 % is held and told, all changes wait, and it ends by itself', async (t) => {
    const files = manyFiles(FILES, 200);
    const store = await openStore(t, files);
    const mount = await mountStore(t, store);
    const gone = [...files].slice(0, 60);
    await Promise.all(gone.map(([path]) => store.delete(`dags/${path}`)));
    await store.put('dags/new.py', 'new');
    const line = await mount.logged('held');
    const { reason } = line.held as { readonly reason: string };
    assert.equal(reason, 'mass-deletion');
    // Whatever part of the deletion the daemon saw first, at least half of the tree is there.
    assert.ok((await count(mount.tree)) >= FILES / 2);
    for (const [path, body] of gone) await store.put(`dags/${path}`, body);
    await mount.logged('no-longer-held');
    await waitFor('the whole tree', async () => (await count(mount.tree)) === FILES + 1);
    assert.equal(await shell(mount.tree, 'cat new.py'), 'new');
  });

  test('an empty listing leaves every file where it is', async (t) => {
    const store = await openStore(t, manyFiles(FILES, 200));
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const mount = await mountStore(t, { ...store, endpoint: proxy.endpoint });
    proxy.fault = ({ kind }) =>
      kind === 'LIST'
        ? {
            change: ({ head, body }) => {
              const text = body.toString();
              const empty = text
                .replaceAll(/<Contents>.*?<\/Contents>/gs, '')
                .replace(/<KeyCount>\d+<\/KeyCount>/, '<KeyCount>0</KeyCount>');
              const without = head.replace(/\r\ncontent-length:[^\r]*/i, '');
              return { head: without, body: Buffer.from(empty) };
            },
          }
        : undefined;
    const line = await mount.logged('held');
    assert.equal((line.held as { readonly reason: string }).reason, 'empty');
    assert.equal(await count(mount.tree), FILES);
    proxy.fault = undefined;
    await mount.logged('no-longer-held');
    assert.equal(await count(mount.tree), FILES);
  });

  test('is shown by status, and published once it is accepted', async (t) => {
    const files = manyFiles(FILES, 200);
    const store = await openStore(t, files);
    const mount = await mountStore(t, store);
    const socket = asking(mount);
    assert.equal((await dagmount(['accept', ...socket])).code, 66);
    const gone = [...files.keys()].slice(0, 60);
    await Promise.all(gone.map((path) => store.delete(`dags/${path}`)));
    const held = async (): Promise<Status['held']> => (await statusOf(mount)).held;
    const view = await waitFor('all of it to be held', async () => {
      const now = await held();
      return now?.files === 40 ? now : undefined;
    });
    assert.equal(view.reason, 'mass-deletion');
    assert.ok((await count(mount.tree)) >= FILES / 2);
    assert.equal((await dagmount(['refresh', '--wait', ...socket])).code, 75);

    // With one file less, the id that the operator looked at no longer names what the mount would show.
    await store.delete(`dags/${[...files.keys()][60]}`);
    assert.equal((await dagmount(['accept', view.generation, ...socket])).code, 75);
    assert.ok((await count(mount.tree)) >= FILES / 2);

    const { code, stderr } = await dagmount(['accept', ...socket]);
    assert.equal(code, 0, stderr);
    assert.equal(await count(mount.tree), 39);
    assert.equal(await held(), null);
  });

  test('is found so by the next process too, and filters that hide files are no deletion', async (t) => {
    const files = manyFiles(FILES, 200);
    const store = await openStore(t, files);
    const directory = await temporaryDirectory(t);
    const target = join(directory, 'dags');
    await mkdir(target);
    const again = (...args: readonly string[]): Promise<Mount> =>
      mountStore(
        t,
        { ...store, env: { ...store.env, XDG_RUNTIME_DIR: directory } },
        { target, cacheDirectory: join(directory, 'cache'), args },
      );
    const first = await again();
    await first.stop();
    const gone = [...files].slice(0, 60);
    await Promise.all(gone.map(([path]) => store.delete(`dags/${path}`)));
    const second = await again();
    await second.logged('held');
    assert.equal(await count(treeAt(target)), FILES);
    for (const [path, body] of gone) await store.put(`dags/${path}`, body);
    await second.logged('no-longer-held');
    await second.stop();

    // The mount hides seven in ten files, and shows all of the others.
    const third = await again('--exclude', '*[0-6].py');
    await waitFor('the filtered tree', async () => (await count(treeAt(target))) === 30);
    assert.ok(!third.log().some(({ event }) => event === 'held'));
    await third.stop();

    const fourth = await again('--include', 'a-typo/**');
    const line = await fourth.logged('held');
    assert.equal((line.held as { readonly reason: string }).reason, 'empty');
    assert.equal(await count(treeAt(target)), 30);
  });

  test('with --max-delete 100% all but the last file may go, and that is shown at once', async (t) => {
    const files = manyFiles(FILES, 200);
    const store = await openStore(t, files);
    const mount = await mountStore(t, store, { args: ['--max-delete', '100%'] });
    const [last, ...others] = [...files.keys()];
    await Promise.all(others.map((path) => store.delete(`dags/${path}`)));
    await waitFor('the deletion', async () => (await count(mount.tree)) === 1);
    await store.delete(`dags/${last}`);
    const line = await mount.logged('held');
    assert.equal((line.held as { readonly reason: string }).reason, 'empty');
    assert.equal(await count(mount.tree), 1);
  });
});
