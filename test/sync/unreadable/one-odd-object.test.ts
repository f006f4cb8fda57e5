import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { SyncNotice } from '../../../src/sync/notice.ts';
import { noPersistence } from '../../../src/sync/persist.ts';
import type { TakeoverState } from '../../../src/sync/ports.ts';
import type { Restored } from '../../../src/sync/restored.ts';
import type { SyncOptions } from '../../../src/sync/sync.ts';
import { World } from '../doubles/world.ts';
import { MINUTE, odd, SECOND } from './times.ts';

/** Ways in which one object cannot be fetched, whatever code src/store gives them. */
const faults = [
  'unreachable',
  'throttled',
  'expired',
  'corrupt',
  'changed',
  'gone',
  'denied',
  'bad-request',
  'not-s3',
  'wrong-region',
  'no-such-bucket',
  'something-new',
  'hangs',
] as const;

describe('one object that cannot be had', () => {
  const worlds: World[] = [];
  const started = async (
    files: number,
    options: Partial<SyncOptions> = {},
    restored?: Restored,
  ): Promise<World> => {
    const world = new World(options, restored);
    worlds.push(world);
    world.source.putFiles(files);
    await world.start();
    await world.clock.drive(world.sync.ready);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  const breakObject = (world: World, fault: string, path = odd): void => {
    if (fault !== 'hangs') {
      world.cache.failures.set(path, fault);
      return;
    }
    world.cache.onFetch = (asked) => (asked === path ? new Promise(() => undefined) : undefined);
  };
  const repair = (world: World): void => {
    world.cache.failures.clear();
    world.cache.onFetch = () => undefined;
  };
  const shownTree = (world: World) => world.presenter.publications.at(-1)!;
  const etagShown = (world: World, path: string): string | undefined => {
    const { generation } = shownTree(world);
    const index = generation.find(path);
    return index === -1 ? undefined : generation.etag(index);
  };
  const read = (world: World, path: string) => {
    const { generation } = world.sync.shown!;
    const version = generation.version(generation.find(path));
    const { signal } = world;
    return world.clock.drive(world.sync.read(version, undefined, { deadlineMs: 10_000, signal }));
  };
  const problems = (world: World) => world.sync.view.problems.map(({ key, reason }) => [key, reason]);

  for (const fault of faults) {
    it(`does not keep the change of every other file from being shown (${fault})`, async () => {
      const world = await started(20);
      world.source.put(odd);
      world.source.put('dags/fine.py', 'changed');
      breakObject(world, fault);
      await world.clock.advance(2 * MINUTE);
      assert.equal(world.presenter.publications.length, 2);
      assert.equal(etagShown(world, 'dags/fine.py'), world.source.objects.get('dags/fine.py')!.etag);
      const { generation } = shownTree(world);
      assert.equal(generation.size(generation.find(odd)), world.source.objects.get(odd)!.content.length);
      assert.deepEqual(problems(world), [[odd, 'unreadable-object']]);
      assert.match(
        world.sync.view.problems[0]!.detail,
        fault === 'hangs' ? /^overdue: / : new RegExp(`^${fault}: `),
      );
      assert.equal(world.sync.view.unreadable, 1);
      assert.equal(world.sync.view.source.lastError, undefined);
      assert.equal(world.sync.view.held, undefined);
      assert.equal(world.log.told('unreadable-objects').length, 1);
      const seen = await read(world, odd);
      assert.equal(seen.kind === 'error' && seen.failure, 'unavailable');
    });

    it(`keeps its old version readable for --unreadable-wait, and names the key meanwhile (${fault})`, async () => {
      const world = await started(20, { pollMs: 2_000 });
      world.source.put(odd, 'old');
      await world.clock.advance(5 * SECOND);
      const old = etagShown(world, odd);
      world.source.put(odd, 'new');
      breakObject(world, fault);
      await world.clock.advance(50 * SECOND);
      assert.equal(etagShown(world, odd), old);
      assert.equal((await read(world, odd)).kind, 'local');
      const { waiting } = world.sync.view;
      assert.equal(waiting?.objects[0]?.path, odd);
      assert.ok(world.log.told('waiting-for-objects').length >= 1);
      await world.clock.advance(40 * SECOND);
      assert.notEqual(etagShown(world, odd), old);
      assert.equal(world.sync.view.waiting, undefined);
      assert.deepEqual(problems(world), [[odd, 'unreadable-object']]);
    });
  }

  it('is read as soon as it can be had, by the background and by readers, and is then no problem', async () => {
    for (const by of ['background', 'reader'] as const) {
      const notices: SyncNotice[] = [];
      const world = await started(20, { notice: (notice) => notices.push(notice) });
      world.source.put(odd);
      breakObject(world, 'unreachable');
      await world.clock.advance(2 * MINUTE);
      assert.equal(world.sync.view.unreadable, 1);
      repair(world);
      if (by === 'background') await world.clock.advance(11 * MINUTE);
      else {
        await world.clock.advance(6 * SECOND);
        assert.equal((await read(world, odd)).kind, 'local');
      }
      assert.deepEqual(problems(world), []);
      assert.equal(world.sync.view.unreadable, 0);
      assert.equal((await read(world, odd)).kind, 'local');
      const told = notices.filter(({ kind }) => kind === 'unreadable-objects');
      assert.deepEqual(
        told.map((notice) => notice.kind === 'unreadable-objects' && notice.files),
        [1, 0],
      );
    }
  });

  it('costs the wait once: what changes later is shown at once', async () => {
    const world = await started(20);
    world.source.put(odd);
    breakObject(world, 'unreachable');
    await world.clock.advance(2 * MINUTE);
    for (let publication = 0; publication < 5; publication++) {
      world.source.put('dags/fine.py', `content ${publication}`);
      const before = world.presenter.publications.length;
      await world.clock.advance(12 * SECOND);
      assert.equal(world.presenter.publications.length, before + 1);
      assert.deepEqual(problems(world), [[odd, 'unreadable-object']]);
    }
    // A newer version that cannot be fetched either is shown at once: readers lose nothing by it.
    world.source.put(odd, 'newer');
    await world.clock.advance(12 * SECOND);
    assert.equal(etagShown(world, odd), world.source.objects.get(odd)!.etag);
    // Another odd object is new, so the tree waits for it.
    world.source.put('dags/other.py');
    world.cache.failures.set('dags/other.py', 'unreachable');
    await world.clock.advance(30 * SECOND);
    assert.equal(etagShown(world, 'dags/other.py'), undefined);
    await world.clock.advance(MINUTE);
    assert.equal(problems(world).length, 2);
  });

  it('holds nothing up for longer where it is written again and again', async () => {
    const world = await started(20);
    world.source.put('dags/fine.py', 'changed');
    breakObject(world, 'unreachable');
    for (let second = 0; second < 80; second += 2) {
      world.source.put(odd, `content at ${second}`);
      await world.clock.advance(2 * SECOND);
    }
    assert.ok(world.presenter.publications.length > 1);
    assert.equal(etagShown(world, 'dags/fine.py'), world.source.objects.get('dags/fine.py')!.etag);
  });

  it('is not waited for any more once it is gone, or can be had', async () => {
    for (const end of ['deleted', 'mended'] as const) {
      const world = await started(20);
      world.source.put(odd);
      world.source.put('dags/fine.py', 'changed');
      breakObject(world, 'unreachable');
      await world.clock.advance(20 * SECOND);
      assert.equal(world.presenter.publications.length, 1);
      if (end === 'deleted') world.source.delete(odd);
      else repair(world);
      await world.clock.advance(12 * SECOND);
      assert.equal(world.presenter.publications.length, 2);
      assert.equal(world.sync.view.waiting, undefined);
      assert.deepEqual(problems(world), []);
    }
  });

  it('does not take one fault within a moment for the object, however long the tree has waited for the store', async () => {
    const world = await started(20);
    world.source.put(odd, 'old');
    await world.clock.advance(12 * SECOND);
    const old = etagShown(world, odd);
    world.source.put(odd, 'new');
    world.cache.allFail = 'unreachable';
    await world.clock.advance(10 * MINUTE);
    assert.equal(etagShown(world, odd), old);
    assert.deepEqual(problems(world), []);
    // The store is back, and only this object is late, by half a minute.
    world.cache.allFail = undefined;
    breakObject(world, 'unreachable');
    await world.clock.advance(30 * SECOND);
    assert.equal(etagShown(world, odd), old);
    repair(world);
    await world.clock.advance(12 * SECOND);
    assert.deepEqual(problems(world), []);
    assert.equal(etagShown(world, odd), world.source.objects.get(odd)!.etag);
  });

  it('answers a refresh once the tree that waits for it is shown', async () => {
    const world = await started(20);
    world.source.put(odd);
    breakObject(world, 'unreachable');
    const before = world.clock.now();
    const outcome = await world.clock.drive(world.sync.refresh());
    assert.equal(outcome.kind, 'published');
    assert.ok(world.clock.now() - before >= MINUTE);
  });

  it('is known again after a restart, and keeps nothing from being ready', async () => {
    let state: TakeoverState | undefined;
    const persister = {
      ...noPersistence,
      persist: async (next: TakeoverState) => {
        state = next;
      },
    };
    const world = await started(20, { persister });
    world.source.put(odd);
    breakObject(world, 'unreachable');
    await world.clock.advance(2 * MINUTE);
    const { generation, history, peaks, nextNodeId, problems: kept } = state!;
    const restored: Restored = {
      generation,
      problems: kept,
      publishedAt: world.clock.now(),
      lastSecond: 0,
      nextNodeId,
      removedDirectories: new Map(),
      replaced: [],
      peaks,
      history,
    };
    const second = new World({}, restored);
    worlds.push(second);
    for (const [path, object] of world.source.objects) second.source.objects.set(path, object);
    breakObject(second, 'unreachable');
    await second.start();
    await second.clock.drive(second.sync.ready);
    assert.deepEqual(problems(second), [[odd, 'unreadable-object']]);
    assert.equal(second.sync.view.unreadable, 1);
    await second.clock.advance(MINUTE);
    assert.deepEqual(problems(second), [[odd, 'unreadable-object']]);
    repair(second);
    await second.clock.advance(11 * MINUTE);
    assert.deepEqual(problems(second), []);
  });

  it('lets a first start be ready after the wait, with everything else local', async () => {
    for (const fault of faults) {
      const world = new World();
      worlds.push(world);
      world.source.putFiles(20);
      world.source.put(odd);
      breakObject(world, fault);
      await world.start();
      await world.clock.drive(world.sync.ready);
      assert.equal(world.cache.blobs.size, 20, fault);
      assert.deepEqual(problems(world), [[odd, 'unreadable-object']], fault);
    }
  });
});
