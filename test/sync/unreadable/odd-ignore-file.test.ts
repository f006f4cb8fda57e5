import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { World } from '../doubles/world.ts';
import { MINUTE, SECOND } from './times.ts';

describe('an .airflowignore that cannot be had', () => {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  for (const path of ['.airflowignore', 'dags/deep/.airflowignore']) {
    it(`holds the tree and is named (${path})`, async () => {
      const world = new World();
      worlds.push(world);
      world.source.putFiles(20);
      world.source.put(path, 'old');
      await world.start();
      await world.clock.drive(world.sync.ready);
      world.source.put(path, 'new');
      world.source.put('dags/fine.py');
      world.cache.failures.set(path, 'denied');
      await world.clock.advance(2 * MINUTE);
      assert.equal(world.presenter.publications.length, 1);
      assert.equal(world.sync.view.held?.reason, 'unreadable-ignore-file');
      assert.ok(world.sync.view.held?.detail.startsWith(path));
      // Accepting does not help.
      await world.clock.drive(world.sync.accept());
      assert.equal(world.presenter.publications.length, 1);
      assert.equal(world.sync.view.held?.reason, 'unreadable-ignore-file');
      world.cache.failures.clear();
      await world.clock.advance(12 * SECOND);
      assert.equal(world.presenter.publications.length, 2);
      assert.equal(world.sync.view.held, undefined);
    });
  }

  it('is local before a first tree is shown, which fails by its name where it cannot be', async () => {
    const world = new World({ prefetchBytes: 0 });
    worlds.push(world);
    world.source.putFiles(20);
    world.source.put('dags/.airflowignore', 'x');
    world.presenter.onPublish = () => assert.deepEqual(world.cache.fetched, ['dags/.airflowignore']);
    world.cache.failures.set('dags/.airflowignore', 'unreachable');
    await assert.rejects(world.clock.drive(world.sync.start(world.signal)), {
      code: 'unreadable-ignore-file',
      message: /^dags\/\.airflowignore /,
    });
    assert.equal(world.presenter.publications.length, 0);
    // If no other object can be fetched either, the store is at fault.
    world.cache.allFail = 'throttled';
    world.cache.failures.clear();
    await assert.rejects(world.clock.drive(world.sync.start(world.signal)), { code: 'throttled' });
    world.cache.allFail = undefined;
    world.cache.fetched.length = 0;
    await world.start();
    assert.equal(world.presenter.publications.length, 1);
  });
});
