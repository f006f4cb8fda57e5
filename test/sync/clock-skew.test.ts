import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { mtimes } from './doubles/trees.ts';
import { World } from './doubles/world.ts';

const HOUR = 3_600_000;
const PATH = 'dags/file00000.py';

describe('where the clock of the host steps', () => {
  const worlds: World[] = [];
  const started = async (): Promise<World> => {
    const world = new World();
    worlds.push(world);
    world.source.putFiles(20);
    await world.start();
    await world.clock.drive(world.sync.ready);
    return world;
  };
  /** Puts one more version of the file; returns the whole second of its mtime. */
  const edited = async (world: World): Promise<number> => {
    world.source.put(PATH, 'edited');
    const outcome = await world.clock.drive(world.sync.refresh());
    assert.equal(outcome.kind, 'published');
    return Number(mtimes(world.presenter.publications.at(-1)!.generation).get(PATH)! / 1_000_000_000n);
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  for (const [name, step] of [
    ['a second', -1_000],
    ['an hour', -HOUR],
    ['ten years', -10 * 365 * 24 * HOUR],
  ] as const) {
    it(`back by ${name}, the next version is published without waiting for it, and its mtime increases`, async () => {
      const world = await started();
      const before = await edited(world);
      world.clock.step(step);
      const start = world.clock.now();
      const seconds = [await edited(world), await edited(world), await edited(world)];
      assert.ok(world.clock.now() - start < 10_000, 'it did not wait for the clock to catch up');
      for (const [at, second] of seconds.entries()) {
        assert.ok(second > (at === 0 ? before : seconds[at - 1]!));
        assert.ok(second <= before + 10, 'it is ahead by no more than it must be');
      }
    });
  }

  it('forward, mtimes go with it, and go on increasing once it is set right', async () => {
    const world = await started();
    const before = await edited(world);
    world.clock.step(HOUR);
    const ahead = await edited(world);
    assert.ok(ahead >= before + HOUR / 1000);
    world.clock.step(-HOUR);
    assert.ok((await edited(world)) > ahead);
    await world.clock.advance(2 * HOUR);
    // The clock has caught up, so an mtime is the instant of its publication again.
    const now = world.clock.now() / 1000;
    assert.ok(Math.abs((await edited(world)) - now) < 5);
  });

  it('polling goes on, and what is shown stays', async () => {
    for (const step of [-HOUR, HOUR]) {
      const world = await started();
      await world.clock.advance(15_000);
      world.clock.step(step);
      const { listings } = world.source;
      await world.clock.advance(60_000);
      assert.ok(world.source.listings >= listings + 5);
      assert.equal(world.presenter.publications.length, 1);
      assert.equal(world.sync.view.source.consecutiveFailures, 0);
    }
  });

  it('a mass deletion is held all the same', async () => {
    for (const step of [-HOUR, HOUR / 2]) {
      const world = await started();
      await edited(world);
      world.clock.step(step);
      world.source.deleteFiles(15);
      assert.equal((await world.clock.drive(world.sync.refresh())).kind, 'held');
    }
  });
});
