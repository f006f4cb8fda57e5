import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Mount, mountImpossible } from '../support/mount.ts';
import { read } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import type { Cleanup } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore } from './fixture.ts';
import { proxiedPlace } from './proxied.ts';

const daemon = join(repository, 'dist/test/support/stop-point-daemon.js');

/** Every name below a directory, with the content of files: one line each. */
async function contentOf(directory: string): Promise<string> {
  const script = 'cd "$0" && find . -type d | sort && find . -type f -exec sha256sum {} + | sort -k 2';
  return await read('sh', ['-c', script, directory]);
}

/** Kills the server of a mount at the point, and checks what the next mounts show from the state that it left. */
async function crash(t: Cleanup, point: string, expected: 'old' | 'new'): Promise<void> {
  const old = manyFiles(150, 200);
  const { store, proxy, at, target, cacheDirectory } = await proxiedPlace(t, old);
  const mount = (
    more: { readonly cli?: string; readonly env?: Record<string, string> } = {},
  ): Promise<Mount> => mountStore(t, at, { target, cacheDirectory, ...more });

  const first = await mount({ cli: daemon, env: { ...at.env, TEST_STOP_AT: point } });
  const before = await contentOf(target);
  // The store is down while it changes, so the next listing has all of the changes.
  await proxy.goDown();
  await store.put('dags/team_0000/dag_000001.py', 'changed');
  await store.put('dags/team_0002/new.py', 'new');
  await store.put('dags/team_0001/more/new.py', 'new');
  for (const gone of ['team_0000/dag_000002.py', 'team_0000/dag_000003.py'])
    await store.delete(`dags/${gone}`);
  await proxy.comeUp();
  assert.equal((await first.exit).signal, 'SIGKILL');

  await proxy.goDown();
  const offline = await mount();
  const { number } = await offline.logged('restored');
  assert.equal(number, expected === 'old' ? 1 : 2);
  const found = await contentOf(target);
  await offline.stop('SIGKILL');

  await proxy.comeUp();
  const online = await mount();
  const isThere = 'test -e "$0"/team_0001/more/new.py && echo yes || true';
  await waitFor('the new tree', async () => (await read('sh', ['-c', isThere, target])) !== '');
  const after = await contentOf(target);
  assert.notEqual(after, before);
  assert.equal(found, expected === 'old' ? before : after, `wholly the ${expected} tree`);
  if (expected === 'old') assert.equal((await online.logged('published')).number, 2);
  await online.stop();
  assert.equal(online.log().filter(({ event }) => event === 'published').length, expected === 'old' ? 1 : 0);
  const [id = ''] = await readdir(join(cacheDirectory, 'v1'));
  const left = (await readdir(join(cacheDirectory, 'v1', id))).filter((name) => name !== 'order');
  assert.deepEqual(left.sort(), ['blobs', 'generation', 'last-success', 'lock'], 'no temporary file remains');
}

describe('a process killed at a crash point', { skip: mountImpossible, concurrency: 3 }, () => {
  // One before the new tree is in force, one right after, one when the kernel knows of it; the others are long tests.
  const all = process.env.DAGMOUNT_TEST_LONG !== undefined;
  for (const point of all ? ['listed', 'settled', 'built', 'prefetched', 'persisted'] : ['persisted']) {
    test(`${point}: the old tree, whole, is there without the store, and the new one with it`, (t) =>
      crash(t, point, 'old'));
  }
  for (const point of all ? ['committed', 'notified', 'published', 'retired'] : ['committed', 'notified']) {
    test(`${point}: the new tree, whole, is there without the store`, (t) => crash(t, point, 'new'));
  }
});
