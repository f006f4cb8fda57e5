import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { noPersistence } from '../../src/sync/persist.ts';
import { mtimes, paths } from './doubles/trees.ts';
import { World } from './doubles/world.ts';

describe('a revalidation', () => {
  const worlds: World[] = [];
  const started = async (files: number, ...args: ConstructorParameters<typeof World>): Promise<World> => {
    const world = new World(...args);
    worlds.push(world);
    world.source.putFiles(files);
    await world.start();
    await world.clock.drive(world.sync.ready);
    return world;
  };
  const refresh = (world: World) => world.clock.drive(world.sync.refresh());
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  it('refuses a first tree without files, unless that is allowed', async () => {
    const refused = new World();
    await assert.rejects(refused.clock.drive(refused.sync.start(refused.signal)), { code: 'empty-source' });
    assert.equal(refused.presenter.publications.length, 0);
    const allowed = await started(0, { allowEmpty: true });
    assert.equal(allowed.presenter.publications.length, 1);
  });

  it('rejects a first start as the store does, and can be started again', async () => {
    const world = new World();
    worlds.push(world);
    world.source.putFiles(3);
    world.source.listFails = 'denied';
    await assert.rejects(world.clock.drive(world.sync.start(world.signal)), { code: 'denied' });
    world.source.listFails = undefined;
    await world.start();
    assert.equal(world.presenter.publications.length, 1);
  });

  it('answers what it found', async () => {
    const world = await started(20);
    assert.equal((await refresh(world)).kind, 'current');
    world.source.put('dags/new.py');
    const published = await refresh(world);
    assert.equal(published.kind, 'published');
    assert.equal(published.generation?.number, 2);
    assert.equal(published.generation?.files, 21);
    world.source.deleteFiles(15);
    const held = await refresh(world);
    assert.equal(held.kind, 'held');
    assert.equal(held.generation?.number, 2);
    world.source.listFails = 'unreachable';
    const failed = await refresh(world);
    assert.equal(failed.kind === 'failed' && failed.error.code, 'unreachable');
    assert.equal(failed.generation?.number, 2);
  });

  it('settles: a deploy of many objects is one publication', async () => {
    const world = await started(20, { settleMs: 1000 });
    let uploaded = 1;
    world.source.put('dags/upload0.py');
    world.source.onList = () => {
      if (uploaded < 5) world.source.put(`dags/upload${uploaded++}.py`);
    };
    await refresh(world);
    assert.equal(world.presenter.publications.length, 2);
    assert.equal(world.presenter.files().length, 25);
  });

  it('publishes nothing where the listing settles on what is shown', async () => {
    const world = await started(20, { settleMs: 1000 });
    world.source.put('dags/brief.py');
    world.source.onList = (count) => {
      if (count === 2) world.source.delete('dags/brief.py');
    };
    world.source.listings = 1;
    assert.equal((await refresh(world)).kind, 'current');
    assert.equal(world.source.builds, 1);
  });

  it('takes a tree of equal content for unchanged, and its problems for new', async () => {
    const world = await started(20);
    world.source.put('dags//hidden.py');
    assert.equal((await refresh(world)).kind, 'current');
    assert.deepEqual(
      world.sync.view.problems.map(({ key, reason }) => [key, reason]),
      [['dags//hidden.py', 'empty-component']],
    );
    const { builds } = world.source;
    await refresh(world);
    assert.equal(world.source.builds, builds);
  });

  it('publishes a file that was restored from an archive, though its id is the same', async () => {
    const world = await started(20);
    world.source.put('dags/frozen.py', 'cold', true);
    await refresh(world);
    const frozen = world.source.objects.get('dags/frozen.py')!;
    world.source.objects.set('dags/frozen.py', { ...frozen, archived: false });
    assert.equal((await refresh(world)).kind, 'published');
    await world.clock.settle();
    const { generation, fingerprints } = world.presenter.publications.at(-1)!;
    assert.notEqual(fingerprints[generation.find('dags/frozen.py')], 0n);
  });

  it('starts over where an object changed after it was listed', async () => {
    const world = await started(20);
    world.source.put('dags/a.py', 'first');
    let changed = false;
    world.cache.onFetch = () => {
      if (!changed) world.source.put('dags/a.py', 'second');
      changed = true;
    };
    assert.equal((await refresh(world)).kind, 'published');
    assert.equal(world.presenter.publications.length, 2);
    const { generation } = world.presenter.publications[1]!;
    assert.equal(generation.etag(generation.find('dags/a.py')), world.source.objects.get('dags/a.py')!.etag);
  });

  it('keeps the old tree while the store is in trouble, and publishes by itself afterwards', async () => {
    const world = await started(20);
    world.source.put('dags/a.py');
    world.cache.allFail = 'throttled';
    await world.clock.advance(60_000);
    assert.equal(world.presenter.publications.length, 1);
    const { source } = world.sync.view;
    assert.ok(source.consecutiveFailures > 5);
    assert.equal(source.lastError?.code, 'throttled');
    assert.equal(world.log.count('warn', 'revalidation-failed'), 1);
    world.cache.allFail = undefined;
    await world.clock.advance(10_100);
    assert.equal(world.presenter.publications.length, 2);
    assert.equal(world.sync.view.source.consecutiveFailures, 0);
    assert.equal(world.sync.view.source.lastError, undefined);
    assert.equal(world.log.count('info', 'source-recovered'), 1);
  });

  it('leaves nothing in the cache as shown of a tree that it did not publish', async () => {
    const world = await started(20);
    const shown = new Map(world.cache.shown);
    assert.equal(shown.size, 20);
    world.source.put('dags/a.py');
    world.cache.allFail = 'unreachable';
    await refresh(world);
    assert.deepEqual(world.cache.shown, shown);
  });

  it('keeps content in the cache as shown if only the mode of its file changes, whether the tree is published or held', async () => {
    const world = await started(20);
    const shown = new Map(world.cache.shown);
    const objects = new Map(world.source.objects);
    world.source.executable = ['*.py'];
    world.source.deleteFiles(15);
    assert.equal((await refresh(world)).kind, 'held');
    assert.deepEqual(world.cache.shown, shown);
    for (const [path, object] of objects) world.source.objects.set(path, object);
    world.source.put('dags/empty.py', '');
    assert.equal((await refresh(world)).kind, 'published');
    assert.equal(world.sync.view.replacedVersions, 20);
    const { generation } = world.presenter.publications[0]!;
    for (let index = 0; index < generation.entries; index++) {
      world.presenter.release(generation.nodeId(index));
    }
    assert.deepEqual(world.cache.shown, shown);
  });

  it('tells the cache what is shown, within and past the bound, and pins what the kernel may hold', async () => {
    const world = await started(20, { prefetchBytes: 1000 });
    world.source.put('dags/large.py', 'x'.repeat(1001));
    world.source.put('dags/file00000.py', 'changed');
    await refresh(world);
    const [before, after] = world.presenter.publications.map(({ generation }) => generation);
    const name = (generation: typeof before, path: string): string =>
      generation!.versionName(generation!.find(path));
    assert.equal(world.cache.shown.get(name(after, 'dags/large.py')), 'past');
    assert.equal(world.cache.shown.get(name(after, 'dags/file00000.py')), 'within');
    assert.equal(world.cache.shown.has(name(before, 'dags/file00000.py')), false);
    assert.deepEqual(world.cache.pinned, new Set([name(before, 'dags/file00000.py')]));
    assert.equal(world.sync.view.replacedVersions, 1);
    world.presenter.release(before!.nodeId(before!.find('dags/file00000.py')));
    assert.equal(world.cache.pinned.size, 0);
  });

  it('pins the old content before the swap and hides it after', async () => {
    const world = await started(20);
    world.source.put('dags/file00000.py', 'changed');
    const { generation } = world.presenter.publications[0]!;
    const old = generation.versionName(generation.find('dags/file00000.py'));
    world.presenter.onPublish = () => {
      assert.ok(world.cache.pinned.has(old));
      assert.ok(world.cache.shown.has(old));
    };
    await refresh(world);
    assert.ok(!world.cache.shown.has(old));
  });

  it('gives a removed directory its node id back when it returns', async () => {
    const world = await started(20);
    world.source.put('more/a.py');
    await refresh(world);
    world.source.delete('more/a.py');
    await refresh(world);
    assert.deepEqual([...world.source.lastBuild!.removedDirectories], []);
    world.source.put('more/b.py');
    await refresh(world);
    const ids = world.presenter.publications.map(({ generation }) =>
      generation.find('more') === -1 ? 0 : generation.nodeId(generation.find('more')),
    );
    assert.deepEqual([...world.source.lastBuild!.removedDirectories.keys()], ['more']);
    assert.equal(ids[1], ids[3]);
    world.source.put('other.py');
    await refresh(world);
    assert.equal(world.source.lastBuild!.removedDirectories.size, 0);
  });

  it('raises the mtime on a rollback to older content, in a later whole second', async () => {
    const world = await started(20);
    const original = world.source.objects.get('dags/file00000.py')!;
    const seconds: bigint[] = [];
    for (const object of [{ ...original, etag: 'b' }, original, { ...original, etag: 'b' }]) {
      world.source.objects.set('dags/file00000.py', object);
      await refresh(world);
      const { generation } = world.presenter.publications.at(-1)!;
      seconds.push(mtimes(generation).get('dags/file00000.py')! / 1_000_000_000n);
    }
    assert.equal(world.presenter.publications.length, 4);
    assert.deepEqual(
      seconds,
      [...new Set(seconds)].toSorted((one, other) => Number(one - other)),
    );
  });

  it('persists before the kernel sees an id, and commits before the swap', async () => {
    const order: string[] = [];
    const world = await started(20, {
      persister: {
        troubles: [],
        persist: async ({ number, nextNodeId, generation, peaks, history }) => {
          order.push(`persist ${number}`);
          for (let index = 0; index < generation.entries; index++) {
            assert.ok(generation.nodeId(index) < nextNodeId);
          }
          assert.equal(peaks.at(-1)?.files, generation.files);
          assert.equal(history.at(-1)?.id, generation.id);
        },
        commit: async () => void order.push('commit'),
        acknowledged: () => void order.push('acknowledged'),
      },
    });
    world.presenter.onPublish = () => void order.push('swap');
    world.source.put('dags/a.py');
    await refresh(world);
    assert.deepEqual(order, [
      'persist 1',
      'commit',
      'acknowledged',
      'persist 2',
      'commit',
      'swap',
      'acknowledged',
    ]);
  });

  it('shows nothing where persisting fails', async () => {
    let full = false;
    const world = await started(20, {
      persister: { ...noPersistence, persist: async () => void (full && assert.fail('no space')) },
    });
    full = true;
    world.source.put('dags/a.py');
    assert.equal((await refresh(world)).kind, 'failed');
    assert.equal(world.presenter.publications.length, 1);
    full = false;
    assert.equal((await refresh(world)).kind, 'published');
  });

  it('never uses a node id or a number twice, even where the swap failed', async () => {
    const world = await started(20);
    world.source.put('dags/a.py');
    world.presenter.onPublish = () => Promise.reject(new Error('the session is gone'));
    assert.equal((await refresh(world)).kind, 'failed');
    world.presenter.onPublish = () => undefined;
    world.source.put('dags/b.py');
    assert.equal((await refresh(world)).kind, 'published');
    const [, failed, shown] = world.presenter.publications;
    const id = (publication: typeof failed, path: string): number =>
      publication!.generation.nodeId(publication!.generation.find(path));
    assert.ok(id(shown, 'dags/a.py') > id(failed, 'dags/a.py'));
    assert.ok(shown!.generation.number > failed!.generation.number);
  });

  it('keeps a history of publications', async () => {
    const world = await started(20);
    world.source.put('dags/file00000.py', 'changed');
    world.source.put('dags/new.py');
    world.source.delete('dags/file00001.py');
    await refresh(world);
    const [first, second] = world.sync.view.history;
    const { generation, changes } = world.presenter.publications[1]!;
    assert.equal(first?.added, 0);
    assert.deepEqual(second, {
      id: generation.id,
      number: 2,
      publishedAt: world.sync.view.generation?.publishedAt,
      files: 20,
      added: 1,
      changed: 1,
      removed: 1,
    });
    assert.deepEqual(paths(generation, changes!.added), ['dags/new.py']);
    for (let publication = 0; publication < 60; publication++) {
      world.source.put('dags/new.py', `content ${publication}`);
      await refresh(world);
    }
    assert.equal(world.sync.view.history.length, 50);
    assert.equal(world.sync.view.history.at(-1)?.number, 62);
  });

  it('keeps in the cache the smallest files where not all fit, and says what would be needed', async () => {
    const world = await started(20, { cacheBytes: 700 });
    assert.deepEqual(world.sync.view.cacheTooSmall, undefined);
    world.source.put('dags/large.py', 'x'.repeat(400));
    await refresh(world);
    const { generation } = world.presenter.publications[1]!;
    assert.equal(world.cache.shown.get(generation.versionName(generation.find('dags/large.py'))), 'past');
    assert.deepEqual(world.sync.view.cacheTooSmall, { neededBytes: generation.bytes });
    assert.equal(world.log.count('warn', 'cache-too-small'), 1);
    assert.ok(!world.cache.fetched.includes('dags/large.py'));
    world.source.deleteFiles(10);
    await refresh(world);
    await world.clock.settle();
    assert.equal(world.cache.shown.get(generation.versionName(generation.find('dags/large.py'))), 'within');
    assert.ok(world.cache.fetched.includes('dags/large.py'));
  });
});
