import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import type { Status, TreeStatus } from '../../src/control/shapes/status.ts';
import { mountStore, openStore, type Store } from '../e2e/fixture.ts';
import { dagmount, type Mount, mountImpossible, statusOf } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

interface Tree {
  readonly path: string;
  /** The prefix in the bucket. */
  readonly prefix: string;
  readonly options?: Readonly<Record<string, string>>;
}

async function configuration(t: Cleanup, { bucket }: Pick<Store, 'bucket'>, trees: readonly Tree[]) {
  const file = join(await temporaryDirectory(t), 'dagmount.yaml');
  const items = trees.map(({ path, prefix, options = {} }) => {
    const lines = [`path: ${path}`, `source: s3://${bucket}/${prefix}`];
    for (const [name, value] of Object.entries(options)) lines.push(`${name}: ${value}`);
    return `  - ${lines.join('\n    ')}\n`;
  });
  await writeFile(file, `trees:\n${items.join('')}`);
  return file;
}

async function treeOf(mount: Mount, path: string): Promise<TreeStatus> {
  const found = (await statusOf(mount)).trees?.find((tree) => tree.path === path);
  assert.ok(found, path);
  return found;
}

describe('several trees in one mount', { skip: mountImpossible }, () => {
  for (const driver of ['kernel', 'fuse-native'] as const) {
    test(`are directories that change by themselves, over takeovers and without the store (${driver})`, async (t) => {
      const store = await openStore(t);
      await store.put('one/a.py', 'a');
      await store.put('one/d/b.py', 'b');
      await store.put('two/a.py', 'other');
      const proxy = await StoreProxy.start({ upstream: store.endpoint });
      defer(t, () => proxy.close());
      const file = await configuration(t, store, [
        { path: 'team/one', prefix: 'one' },
        { path: 'shared', prefix: 'two' },
      ]);
      const mounted = { ...store, endpoint: proxy.endpoint };
      const options = { source: undefined, args: ['--config', file, '--driver', driver] };
      const mount = await mountStore(t, mounted, options);
      const { target } = mount;
      const read = (script: string): Promise<string> => shell(target, script);
      const see = (script: string, expected: string): Promise<unknown> =>
        waitFor(
          `"${expected}" of ${script}`,
          async () => (await read(`${script} 2>&1 || true`)) === expected,
        );

      assert.equal(await read('ls; ls team; ls team/one'), 'shared\nteam\none\na.py\nd\n');
      assert.equal(await read('cat team/one/a.py team/one/d/b.py shared/a.py'), 'abother');
      assert.equal(
        await read('cd team/one/d && ls .. ../../../shared'),
        '..:\na.py\nd\n\n../../../shared:\na.py\n',
      );
      const before = await treeOf(mount, 'shared');
      const inodes = await read("stat -c '%i %Y' shared shared/a.py");
      await store.put('one/a.py', 'changed');
      await store.put('one/e.py', 'e');
      await see('cat team/one/a.py team/one/e.py', 'changede');
      assert.equal(await read("stat -c '%i %Y' shared shared/a.py"), inodes, 'the other tree is as it was');
      assert.deepEqual((await treeOf(mount, 'shared')).generation, before.generation);
      const attribute = `python3 -c 'import os; print(os.getxattr("shared", "user.dagmount.source").decode(), os.getxattr(".", "user.dagmount.layout").decode())'`;
      assert.equal(await read(attribute), `s3://${store.bucket}/two/ trees\n`);

      const asked = async (...args: string[]) => {
        const { stdout, stderr, code } = await dagmount([...args, '--mount', target], mount.environment);
        assert.equal(code, 0, stderr);
        return stdout;
      };
      assert.match(await asked('ls', 'team/one/d'), /team\/one\/d\/b\.py\n$/);
      assert.match(await asked('why', join(target, 'shared/a.py')), /two\/a\.py/);
      assert.match(await asked('generations', '--tree', 'team/one'), /\n2 /);
      assert.doesNotMatch(await asked('generations', '--tree', 'shared'), /\n2 /);
      assert.match(
        await asked('status'),
        /team\/one from s3:.*\n.*shared from|shared from.*\n.*team\/one from/,
      );
      const metrics = await asked('metrics');
      assert.match(metrics, /^dagmount_generation_number\{tree="team\/one"\} 2$/m);
      assert.match(metrics, /^dagmount_generation_number\{tree="shared"\} 1$/m);
      const ofAll = await asked('generations');
      for (const tree of ['team/one', 'shared']) assert.ok(ofAll.includes(tree), ofAll);

      process.kill(await mount.serverPid(), 'SIGKILL');
      await see('cat team/one/a.py shared/a.py', 'changedother');
      await waitFor('the next server', async () => {
        const status = await statusOf(mount).catch(() => undefined);
        return status?.ready === true && status.mount.restarts > 0;
      });
      if (driver === 'kernel') {
        assert.equal(await read("stat -c '%i %Y' shared shared/a.py"), inodes, 'over a takeover');
      }
      await store.put('two/a.py', 'another');
      await see('cat shared/a.py team/one/a.py', 'anotherchanged');

      await mount.stop();
      await proxy.goDown();
      const place = { target, cacheDirectory: mount.cacheDirectory };
      const offline = await mountStore(t, mounted, { ...options, ...place, until: 'mounted' });
      assert.equal(await shell(target, 'cat shared/a.py team/one/a.py team/one/e.py'), 'anotherchangede');
      await waitFor('both to be missed', async () =>
        (await statusOf(offline)).trees?.every(({ degraded }) => degraded.includes('source-unreachable')),
      );
    });
  }

  test('of which one hangs and one is emptied: the other two are published on time', async (t) => {
    const store = await openStore(t);
    for (const prefix of ['one', 'two', 'hangs', 'emptied'])
      for (const name of ['a', 'b', 'c', 'd']) await store.put(`${prefix}/${name}.py`, name);
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    let hangs = false;
    proxy.fault = ({ url }) => (hangs && /hangs/.test(url) ? { hang: true } : undefined);
    const trees = ['one', 'two', 'hangs', 'emptied'].map((path) => ({ path, prefix: path }));
    const file = await configuration(t, store, trees);
    const mount = await mountStore(
      t,
      { ...store, endpoint: proxy.endpoint },
      { source: undefined, args: ['--config', file] },
    );
    const read = (script: string): Promise<string> => shell(mount.target, script);
    hangs = true;
    for (const name of ['a', 'b', 'c', 'd']) await store.delete(`emptied/${name}.py`);
    await waitFor('the empty tree to be held', async () => (await treeOf(mount, 'emptied')).held !== null);
    const took: number[] = [];
    for (let round = 1; round <= 5; round += 1) {
      for (const path of ['one', 'two']) await store.put(`${path}/a.py`, `${path} ${round}`);
      const began = performance.now();
      await waitFor(
        `round ${round}`,
        async () => (await read('cat one/a.py two/a.py')) === `one ${round}two ${round}`,
        20_000,
      );
      took.push(Math.round(performance.now() - began));
    }
    t.diagnostic(`both were visible after ${took.join(', ')} ms, of which polls of a second are a part`);
    assert.equal(await read('cat emptied/a.py hangs/b.py; ls emptied hangs | wc -l'), 'ab11\n');
    const status: Status = await statusOf(mount);
    assert.ok(status.degraded.includes('held'));
    const of = (path: string) => status.trees?.find((tree) => tree.path === path);
    assert.deepEqual(of('one')?.degraded.includes('held'), false);
    assert.equal(of('two')?.held, null);
    // `accept` affects this tree alone.
    const client = new ControlClient(mount.socket()).inTree('emptied');
    await client.ask('/v1/accept', { method: 'POST', body: {} });
    await waitFor('the tree to be empty', async () => (await read('ls emptied')) === '');
    assert.equal(await read('ls one | wc -l'), '4\n');
  });

  test('of which one cannot be had at the start: it comes when it can, and the others are there before', async (t) => {
    const store = await openStore(t);
    await store.put('one/a.py', 'a');
    const file = await configuration(t, store, [
      { path: 'one', prefix: 'one' },
      { path: 'late/two', prefix: 'two', options: { 'wait-for-store': '0' } },
    ]);
    const mount = await mountStore(t, store, {
      source: undefined,
      args: ['--config', file],
      until: 'mounted',
    });
    const read = (script: string): Promise<string> => shell(mount.target, script);
    await mount.logged('tree-not-shown');
    assert.equal(await read('cat one/a.py; ls; stat late 2>/dev/null || echo none'), 'aone\nnone\n');
    assert.equal((await statusOf(mount)).ready, false);
    process.kill(await mount.serverPid(), 'SIGKILL');
    assert.equal(await read('cat one/a.py'), 'a', 'after a takeover');
    await store.put('two/b.py', 'b');
    await waitFor('the late tree', async () => (await read('cat late/two/b.py 2>&1 || true')) === 'b');
    await waitFor('its name', async () => (await read('ls')) === 'late\none\n');
    await waitFor('readiness', async () => (await statusOf(mount)).ready);
  });

  test('that lie in one another are refused, naming both', async (t) => {
    const file = await configuration(t, { bucket: 'b' }, [
      { path: 'team', prefix: 'x' },
      { path: 'team/a', prefix: 'y' },
    ]);
    const { code, stderr } = await dagmount(['mount', await temporaryDirectory(t), '--config', file]);
    assert.equal(code, 78);
    assert.match(stderr, /team \(line 2: s3:\/\/b\/x\) and team\/a \(line 4: s3:\/\/b\/y\)/);
  });
});
