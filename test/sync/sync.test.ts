import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
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

  it('publishes the first tree before any content is fetched, and is ready once all of it is local', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    world.presenter.onPublish = () => assert.equal(world.cache.fetched.length, 0);
    await world.clock.drive(world.sync.start(world.signal));
    assert.equal(world.presenter.publications.length, 1);
    await world.clock.drive(world.sync.ready);
    assert.equal(world.cache.fetched.length, 20);
    assert.equal(world.sync.view.ready, true);
    assert.deepEqual(world.sync.view.pending, { pendingFiles: 0, pendingBytes: 0 });
  });

  it('publishes a changed object at the next poll, with its content local before that', async () => {
    const world = newWorld();
    world.source.putFiles(20);
    await world.start();
    world.source.put('dags/file00003.py', 'new content');
    world.presenter.onPublish = () => assert.equal(world.cache.fetched.at(-1), 'dags/file00003.py');
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
    const { generation, stamps, changes } = world.presenter.publications[1]!;
    assert.equal(changes?.changed.length, 1);
    assert.notEqual(stamps[changes.changed[0]!], 0n);
    assert.equal(generation.number, 2);
    // What did not change keeps what was known of it.
    for (let index = 0; index < generation.entries; index++) {
      if (!generation.isDirectory(index)) assert.notEqual(stamps[index], 0n, generation.path(index));
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
});
