import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { World } from './doubles/world.ts';

describe('a held listing', () => {
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
  const accept = (world: World, id?: string) => world.clock.drive(world.sync.accept(id));
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  it('leaves the tree as it is and says what would go', async () => {
    const world = await started(1000);
    world.source.deleteFiles(600);
    const outcome = await refresh(world);
    assert.equal(outcome.kind, 'held');
    const { held } = world.sync.view;
    assert.equal(held?.files, 400);
    assert.equal(held?.removed, 600);
    assert.equal(held?.reason, 'mass-deletion');
    assert.equal(world.presenter.files().length, 1000);
  });

  it('is listed again at every poll, without building it again or fetching anything', async () => {
    const world = await started(1000);
    world.source.deleteFiles(600);
    await refresh(world);
    const { builds, listings } = world.source;
    await world.clock.advance(100_000);
    assert.equal(world.source.builds, builds);
    assert.ok(world.source.listings > listings + 8);
    assert.equal(world.log.count('warn', 'held'), 1);
    assert.equal(world.sync.view.source.consecutiveFailures, 0);
  });

  it('is replaced by the newest, and all changes wait', async () => {
    const world = await started(100);
    world.source.deleteFiles(60);
    await refresh(world);
    const first = world.sync.view.held;
    world.source.put('dags/new.py');
    await refresh(world);
    const second = world.sync.view.held;
    assert.notEqual(second?.generation, first?.generation);
    assert.equal(second?.files, 41);
    assert.equal(second?.since, first?.since);
    assert.equal(world.presenter.files().length, 100);
  });

  it('is dropped when a listing passes again', async () => {
    const world = await started(100);
    const objects = new Map(world.source.objects);
    world.source.objects.clear();
    assert.equal((await refresh(world)).kind, 'held');
    assert.equal(world.sync.view.held?.reason, 'empty');
    for (const [path, object] of objects) world.source.objects.set(path, object);
    assert.equal((await refresh(world)).kind, 'current');
    assert.equal(world.sync.view.held, undefined);
    world.source.objects.clear();
    await refresh(world);
    for (const [path, object] of objects) world.source.objects.set(path, object);
    world.source.put('dags/new.py');
    assert.equal((await refresh(world)).kind, 'published');
    assert.equal(world.sync.view.held, undefined);
  });

  it('is not held for a rename of everything', async () => {
    const world = await started(100);
    world.source.objects.clear();
    world.source.putFiles(100, 'renamed');
    assert.equal((await refresh(world)).kind, 'published');
  });

  it('is published once it is accepted, and what is smaller still is held against it', async () => {
    const world = await started(100);
    assert.deepEqual(await accept(world), { kind: 'nothing-held' });
    world.source.deleteFiles(60);
    await refresh(world);
    const id = world.sync.view.held!.generation;
    const accepted = await accept(world, id);
    assert.equal(accepted.kind === 'accepted' && accepted.generation.id, id);
    assert.equal(world.sync.view.held, undefined);
    assert.equal(world.presenter.files().length, 40);
    // The earlier hundred files do not count any more.
    world.source.deleteFiles(15);
    assert.equal((await refresh(world)).kind, 'published');
    world.source.deleteFiles(20);
    assert.equal((await refresh(world)).kind, 'held');
  });

  it('is accepted only where a fresh listing still has it', async () => {
    const world = await started(100);
    world.source.deleteFiles(60);
    await refresh(world);
    const { held } = world.sync.view;
    assert.deepEqual(await accept(world, 'another'), { kind: 'changed', held });
    world.source.deleteFiles(1);
    const answer = await accept(world, held!.generation);
    assert.equal(answer.kind === 'changed' && answer.held?.files, 39);
    assert.equal(world.presenter.files().length, 100);
    world.source.listFails = 'unreachable';
    const failed = await accept(world);
    assert.equal(failed.kind === 'failed' && failed.error.code, 'unreachable');
  });

  it('stays held where its content could not be fetched when it was accepted', async () => {
    const world = await started(100);
    world.source.deleteFiles(60);
    world.source.put('dags/new.py');
    await refresh(world);
    world.cache.allFail = 'unreachable';
    assert.equal((await accept(world)).kind, 'failed');
    world.cache.allFail = undefined;
    assert.equal((await accept(world)).kind, 'accepted');
  });

  it('holds 10,000 files that are deleted at 5 % a poll before half of them are gone', async () => {
    const world = await started(10_000);
    for (let poll = 0; poll < 15; poll++) {
      world.source.deleteFiles(500);
      const outcome = await refresh(world);
      assert.equal(outcome.kind, poll < 10 ? 'published' : 'held');
    }
    assert.equal(world.sync.shown?.generation.files, 5_000);
    assert.deepEqual(
      [world.sync.view.held?.files, world.sync.view.held?.removed, world.sync.view.held?.reason],
      [2_500, 2_500, 'mass-deletion'],
    );
  });

  it('passes after an hour in which no larger tree was shown', async () => {
    const world = await started(1000);
    world.source.deleteFiles(400);
    assert.equal((await refresh(world)).kind, 'published');
    world.source.deleteFiles(200);
    assert.equal((await refresh(world)).kind, 'held');
    await world.clock.advance(3_620_000);
    assert.equal(world.sync.view.held, undefined);
    assert.equal(world.presenter.files().length, 400);
  });

  it('is published at once where the guard is off', async () => {
    const world = await started(1000, { maxDelete: 1 });
    world.source.deleteFiles(999);
    assert.equal((await refresh(world)).kind, 'published');
    world.source.objects.clear();
    assert.equal((await refresh(world)).kind, 'held');
  });
});
