import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { World } from './doubles/world.ts';

describe('Sync', () => {
  const worlds: World[] = [];
  const newWorld = (...args: ConstructorParameters<typeof World>): World => {
    const world = new World(...args);
    worlds.push(world);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  it('publishes the first tree without its content, which is asked for meanwhile', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    const arrivals: (() => void)[] = [];
    world.cache.onFetch = () => new Promise((resolve) => arrivals.push(resolve));
    world.presenter.onPublish = async () => {
      await turn();
      assert.equal(world.cache.inFlight, 4);
      assert.equal(world.cache.fetched.length, 0);
    };
    await world.start();
    assert.equal(world.presenter.publications.length, 1);
    assert.equal(world.sync.view.pending.pendingFiles, 20);
    assert.equal(world.sync.view.ready, false);
    world.cache.onFetch = () => undefined;
    for (const arrive of arrivals) arrive();
    await world.clock.drive(world.sync.ready);
    assert.equal(new Set(world.cache.fetched).size, 20);
    assert.equal(world.sync.view.ready, true);
    assert.deepEqual(world.sync.view.pending, { pendingFiles: 0, pendingBytes: 0 });
  });

  it('fetches nothing twice of what was local before the first tree was shown', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    world.presenter.onPublish = async () => {
      await turn();
    };
    await world.start();
    await world.clock.drive(world.sync.ready);
    assert.equal(world.cache.fetched.length, 20);
    const { generation, fingerprints } = world.presenter.publications[0]!;
    for (let index = 0; index < generation.entries; index++) {
      if (!generation.isDirectory(index)) assert.notEqual(fingerprints[index], 0n, generation.path(index));
    }
  });

  it('fetches nothing on for a first tree that could not be shown', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    world.cache.onFetch = () => new Promise(() => undefined);
    world.presenter.onPublish = async () => {
      await turn();
      assert.equal(world.cache.inFlight, 4);
      throw new Error('cannot mount');
    };
    await assert.rejects(world.clock.drive(world.sync.start(world.signal)), /cannot mount/);
    assert.equal(world.cache.inFlight, 0);
    assert.equal(world.clock.sleeping, 0);
  });

  it('publishes a changed object at the next poll, with its content local before that', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    await world.start();
    world.source.put('dags/file00003.py', 'new content');
    world.presenter.onPublish = () => assert.equal(world.cache.fetched.at(-1), 'dags/file00003.py');
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
    const { generation, fingerprints, changes } = world.presenter.publications[1]!;
    assert.equal(changes?.changed.length, 1);
    assert.notEqual(fingerprints[changes.changed[0]!], 0n);
    assert.equal(generation.number, 2);
    // Unchanged files keep their fingerprints.
    for (let index = 0; index < generation.entries; index++) {
      if (!generation.isDirectory(index)) assert.notEqual(fingerprints[index], 0n, generation.path(index));
    }
  });

  it('publishes nothing while nothing changes', async () => {
    const world = newWorld();
    world.source.putFiles(3);
    await world.start();
    await world.clock.advance(60_000);
    assert.equal(world.presenter.publications.length, 1);
    assert.ok(world.source.listings >= 6);
    assert.equal(world.source.builds, 1);
  });

  it('publishes a change while the first tree is still being fetched, and gets ready with the new one', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    const arrivals: (() => void)[] = [];
    world.cache.onFetch = (path) =>
      path === 'dags/new.py' ? undefined : new Promise((resolve) => arrivals.push(resolve));
    await world.start();
    world.source.put('dags/new.py');
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
    assert.equal(world.sync.view.ready, false);
    assert.equal(world.sync.view.pending.pendingFiles, 20);
    world.cache.onFetch = () => undefined;
    for (const arrive of arrivals) arrive();
    await world.clock.drive(world.sync.ready);
    const { generation, fingerprints } = world.presenter.publications[1]!;
    for (let index = 0; index < generation.entries; index++) {
      if (!generation.isDirectory(index)) assert.notEqual(fingerprints[index], 0n, generation.path(index));
    }
  });

  it('serves a reader of a file that is not local yet ahead of the others', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    world.cache.onFetch = (path) => (path === 'dags/file00019.py' ? undefined : new Promise(() => undefined));
    await world.start();
    const { generation, fingerprints } = world.presenter.publications[0]!;
    const index = generation.find('dags/file00019.py');
    const read = await world.sync.read(generation.version(index), undefined, {
      deadlineMs: 10_000,
      signal: world.signal,
    });
    assert.equal(read.kind, 'local');
    assert.notEqual(fingerprints[index], 0n);
  });

  it('finds out by a reader that the source is down, and then lets no other wait', async () => {
    const world = newWorld({ pollMs: 3_600_000, prefetchBytes: 0 });
    world.source.putFiles(20);
    await world.start();
    world.source.listFails = 'unreachable';
    world.cache.onFetch = () => new Promise(() => undefined);
    const { generation } = world.presenter.publications[0]!;
    const read = (index: number) =>
      world.sync.read(generation.version(index), undefined, { deadlineMs: 10_000, signal: world.signal });
    const index = generation.find('dags/file00000.py');
    const first = await world.clock.drive(read(index));
    assert.deepEqual(first, { kind: 'error', failure: 'unavailable', code: 'deadline' });
    await world.clock.settle();
    assert.deepEqual(await read(index), { kind: 'error', failure: 'unavailable', code: 'source-down' });
    assert.deepEqual(world.sync.view.readFailures, { unavailable: 2, replaced: 0 });
  });

  it('ends promptly, whatever is under way', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    world.cache.onFetch = () => new Promise(() => undefined);
    await world.start();
    world.source.put('dags/new.py');
    await world.clock.advance(11_000);
    await world.stop();
    assert.equal(world.cache.inFlight, 0);
    assert.equal(world.clock.sleeping, 0);
    assert.equal(world.log.count('error'), 0);
    assert.equal(world.sync.view.source.consecutiveFailures, 0);
  });
});
