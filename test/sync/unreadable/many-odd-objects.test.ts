import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { World } from '../doubles/world.ts';
import { MINUTE, SECOND } from './times.ts';

describe('many objects that cannot be had', () => {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  async function withOdd(files: number, oddFiles: number): Promise<World> {
    const world = new World();
    worlds.push(world);
    world.source.putFiles(files);
    await world.start();
    await world.clock.drive(world.sync.ready);
    for (let file = 0; file < oddFiles; file++) {
      world.source.put(`odd/${file}.py`);
      world.cache.failures.set(`odd/${file}.py`, 'unreachable');
    }
    await world.clock.advance(2 * MINUTE);
    return world;
  }

  for (const [files, oddFiles, isHeld] of [
    [5, 1, false],
    [50, 3, false],
    [50, 4, true],
    [500, 5, false],
    [500, 7, true],
    [3_000, 20, false],
    [3_000, 21, true],
  ] as const) {
    it(`are ${isHeld ? 'held' : 'shown'} where they are ${oddFiles} beside ${files}`, async () => {
      const world = await withOdd(files, oddFiles);
      const { held, problems } = world.sync.view;
      assert.equal(held?.reason, isHeld ? 'unreadable-objects' : undefined);
      assert.equal(world.presenter.publications.length, isHeld ? 1 : 2);
      assert.equal(problems.length, isHeld ? 0 : oddFiles);
    });
  }

  it('are shown once that is accepted, and by themselves once they can be had', async () => {
    for (const end of ['accepted', 'mended'] as const) {
      const world = await withOdd(50, 10);
      assert.match(world.sync.view.held?.detail ?? '', /odd\/\d\.py/);
      assert.equal(world.log.told('held').length, 1);
      if (end === 'accepted') {
        const accepted = await world.clock.drive(world.sync.accept());
        assert.equal(accepted.kind, 'accepted');
      } else {
        world.cache.failures.clear();
        await world.clock.advance(12 * SECOND);
      }
      assert.equal(world.presenter.files().length, 60);
      assert.equal(world.sync.view.problems.length, end === 'accepted' ? 10 : 0);
      assert.equal(world.sync.view.held, undefined);
      // Accepted objects do not count against the next odd object.
      world.source.put('odd/another.py');
      world.cache.failures.set('odd/another.py', 'unreachable');
      await world.clock.advance(2 * MINUTE);
      assert.equal(world.sync.view.held, undefined);
      assert.equal(world.sync.view.problems.length, end === 'accepted' ? 11 : 1);
    }
  });
});
