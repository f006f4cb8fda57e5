import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Generation } from '../../src/tree/index.ts';
import { treeOf } from './doubles/trees.ts';
import { World } from './doubles/world.ts';

describe('objects that change faster than they can be listed', () => {
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
  const etag = (generation: Generation, path: string): string => generation.etag(generation.find(path));
  const names = (generation: Generation): Set<string> => {
    const found = new Set<string>();
    for (let index = 0; index < generation.entries; index++) {
      if (!generation.isDirectory(index)) found.add(generation.versionName(index));
    }
    return found;
  };
  /** Every fetch of the path finds another object than the listed one. */
  const overwriteAlways = (world: World, hot: string): void => {
    let puts = 0;
    world.cache.onFetch = (path) => {
      if (path === hot) world.source.put(hot, `content ${puts++}`);
    };
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  it('are shown as they are found after three restarts, and all else with them', async () => {
    const world = await started(20);
    world.source.put('dags/hot.py', 'first');
    world.source.put('dags/calm.py');
    overwriteAlways(world, 'dags/hot.py');
    const before = world.source.listings;
    assert.equal((await refresh(world)).kind, 'published');
    assert.equal(world.source.listings - before, 4);
    assert.deepEqual(world.cache.adopted, ['dags/hot.py']);
    const { generation, fingerprints } = world.presenter.publications.at(-1)!;
    assert.equal(etag(generation, 'dags/hot.py'), world.source.objects.get('dags/hot.py')!.etag);
    assert.ok(world.cache.has(generation.version(generation.find('dags/hot.py'))));
    assert.ok(
      fingerprints.every((fingerprint, index) => generation.isDirectory(index) || fingerprint !== 0n),
    );
    assert.ok(generation.find('dags/calm.py') > 0);
    assert.deepEqual(new Set(world.cache.shown.keys()), names(generation));
  });

  it('enter the id of the generation as if they had been listed so', async () => {
    const world = await started(20);
    world.source.put('dags/hot.py', 'first');
    overwriteAlways(world, 'dags/hot.py');
    await refresh(world);
    world.cache.onFetch = () => undefined;
    const { generation } = world.presenter.publications.at(-1)!;
    assert.equal(generation.id, (await treeOf(world.source)).generation.id);
  });

  it('are published by every revalidation while it goes on, and as listed once it ends', async () => {
    const world = await started(20);
    world.source.put('dags/hot.py', 'first');
    overwriteAlways(world, 'dags/hot.py');
    for (let poll = 0; poll < 5; poll++) {
      world.source.put('dags/hot.py', `poll ${poll}`);
      assert.equal((await refresh(world)).kind, 'published');
    }
    assert.equal(world.sync.view.source.consecutiveFailures, 0);
    world.cache.onFetch = () => undefined;
    await refresh(world);
    const { generation } = world.presenter.publications.at(-1)!;
    assert.equal(etag(generation, 'dags/hot.py'), world.source.objects.get('dags/hot.py')!.etag);
    const { builds } = world.source;
    await world.clock.advance(30_000);
    assert.equal(world.source.builds, builds, 'what is listed is what is shown');
  });

  it('are left out where they are gone whenever they are fetched', async () => {
    const world = await started(20);
    world.source.put('dags/fleeting.py');
    world.cache.onFetch = (path) => {
      if (path === 'dags/fleeting.py') world.source.delete(path);
    };
    const list = world.source.look.bind(world.source);
    world.source.look = (options) => {
      world.source.put('dags/fleeting.py', `${world.source.listings}`);
      return list(options);
    };
    world.source.put('dags/calm.py');
    assert.equal((await refresh(world)).kind, 'published');
    const { generation } = world.presenter.publications.at(-1)!;
    assert.equal(generation.find('dags/fleeting.py'), -1);
    assert.ok(generation.find('dags/calm.py') > 0);
  });

  it('pass through the guard: what is gone when it is fetched may be a mass deletion', async () => {
    const world = await started(20);
    const list = world.source.look.bind(world.source);
    world.source.look = (options) => {
      // These files are listed as new, but cannot be fetched.
      for (let file = 0; file < 15; file++) {
        world.source.put(`dags/file${String(file).padStart(5, '0')}.py`, `${world.source.listings} ${file}`);
      }
      return list(options);
    };
    world.cache.onFetch = (path) => world.source.delete(path);
    const outcome = await refresh(world);
    assert.equal(outcome.kind === 'held' && outcome.held.files, 5);
    assert.equal(world.presenter.files().length, 20);
    const shown = world.presenter.publications.at(-1)!.generation;
    assert.deepEqual(new Set(world.cache.shown.keys()), names(shown));
  });

  it('are not fetched whole past the bound: their head is adopted', async () => {
    const world = await started(20, { prefetchBytes: 100 });
    world.source.put('dags/hot.py', 'first');
    world.cache.onFetch = (path) => {
      if (path === 'dags/hot.py') world.source.put(path, 'x'.repeat(101));
    };
    assert.equal((await refresh(world)).kind, 'published');
    const { generation, fingerprints } = world.presenter.publications.at(-1)!;
    const index = generation.find('dags/hot.py');
    assert.equal(generation.size(index), 101);
    assert.equal(fingerprints[index], 0n);
  });

  it('leave the tree as it is where the store fails meanwhile', async () => {
    const world = await started(20);
    world.source.put('dags/hot.py', 'first');
    overwriteAlways(world, 'dags/hot.py');
    const adopt = world.cache.fetchCurrent.bind(world.cache);
    world.cache.fetchCurrent = (...args) => {
      world.cache.allFail = 'unreachable';
      return adopt(...args);
    };
    assert.equal((await refresh(world)).kind, 'failed');
    assert.equal(world.presenter.publications.length, 1);
    assert.equal(world.cache.shown.size, 20);
    world.cache.fetchCurrent = adopt;
    world.cache.allFail = undefined;
    assert.equal((await refresh(world)).kind, 'published');
  });

  it('wait for the listing to settle once, not at every restart', async () => {
    const world = await started(20, { settleMs: 1_000 });
    world.source.put('dags/hot.py', 'first');
    overwriteAlways(world, 'dags/hot.py');
    world.source.onList = () => world.source.put('dags/noise.py', `${world.source.listings}`);
    const before = world.clock.now();
    assert.equal((await refresh(world)).kind, 'published');
    const seconds = Math.round((world.clock.now() - before) / 1000);
    assert.ok(seconds <= 12, `published after ${seconds} s of the fake clock`);
  });
});
