import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { HintOutcome } from '../../src/source/hint.ts';
import { HintPace } from '../../src/sync/hint-pace.ts';
import { FakeStoreError } from './doubles/fake-source.ts';
import { World } from './doubles/world.ts';

describe('a hint', () => {
  const worlds: World[] = [];
  const started = async (options: ConstructorParameters<typeof World>[0] = {}): Promise<World> => {
    const world = new World({ pollMs: 3_600_000, ...options });
    worlds.push(world);
    world.source.putFiles(20);
    await world.start();
    await world.clock.drive(world.sync.ready);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  it('has a change shown at once, long before the next poll', async () => {
    const world = await started();
    world.source.put('new.py');
    await world.sync.hint();
    // No two generations are published in the same whole second.
    await world.clock.advance(1_100);
    assert.notEqual(world.sync.shown?.generation.find('new.py'), -1);
  });

  it('costs three looks where 10,000 come within a second, and the last look begins after the last hint', async () => {
    const world = await started();
    const { listings } = world.source;
    const looks: number[] = [];
    const start = world.clock.now();
    world.source.onList = () => {
      looks.push(world.clock.now() - start);
    };
    for (let millisecond = 0; millisecond < 1_000; millisecond += 1) {
      for (let count = 0; count < 10; count += 1) void world.sync.hint();
      await world.clock.advance(1);
    }
    world.source.put('last.py');
    const followed = world.sync.hint();
    await world.clock.advance(60_000);
    await followed;
    assert.ok(world.source.listings - listings <= 3, `${looks}`);
    assert.notEqual(world.sync.shown?.generation.find('last.py'), -1);
  });

  it('costs three looks where 10,000 come within 21 seconds, and the last look begins after the last hint', async () => {
    const world = await started();
    const { listings } = world.source;
    for (let hint = 0; hint < 10_000; hint += 1) {
      void world.sync.hint();
      if (hint % 100 === 99) await world.clock.advance(210);
    }
    world.source.put('last.py');
    const followed = world.sync.hint();
    await world.clock.advance(2_000);
    await followed;
    assert.ok(world.source.listings - listings <= 3, `${world.source.listings - listings} looks`);
    await world.clock.advance(2_000);
    assert.notEqual(world.sync.shown?.generation.find('last.py'), -1);
  });

  it('of a flood without end is followed by the next poll, and within 30 seconds', async () => {
    for (const [pollMs, mostMs] of [
      [10_000, 11_000],
      [3_600_000, 30_000],
    ] as const) {
      const world = await started({ pollMs });
      const looks: number[] = [];
      world.source.onList = () => {
        looks.push(world.clock.now());
      };
      for (let second = 0; second < 300; second += 1) {
        void world.sync.hint();
        await world.clock.advance(1_000);
      }
      const gaps = looks.slice(1).map((at, index) => at - looks[index]!);
      assert.ok(Math.max(...gaps) <= mostMs + 1_000, `${gaps}`);
      assert.ok(looks.length >= 10 && looks.length <= 300_000 / mostMs + 10, `${looks.length} looks`);
    }
  });

  it('is followed by a look that began after it, though one is under way', async () => {
    const world = await started();
    let end: () => void = () => undefined;
    world.source.onList = () =>
      new Promise<void>((resolve) => {
        end = resolve;
      });
    await world.sync.hint();
    await world.clock.settle();
    let isFollowed = false;
    const second = world.sync.hint().then(() => {
      isFollowed = true;
    });
    await world.clock.settle();
    assert.equal(isFollowed, false);
    world.source.onList = () => undefined;
    end();
    await world.clock.advance(1_000);
    assert.equal(isFollowed, true);
    await second;
  });

  it('lists although the watched key is unchanged', async () => {
    const outcomes: [string, HintOutcome][] = [];
    const key = { etag: 'v1' };
    const world = await started({
      pollMs: 10_000,
      watchedKey: { key: 'k', look: async (known) => (known === key.etag ? undefined : key.etag) },
      onHint: (origin, outcome) => outcomes.push([origin, outcome]),
    });
    await world.clock.advance(20_000);
    const { listings } = world.source;
    await world.sync.hint();
    await world.clock.settle();
    assert.equal(world.source.listings, listings + 1);
    assert.deepEqual(outcomes, []);
    key.etag = 'v2';
    await world.clock.advance(12_000);
    assert.equal(world.source.listings, listings + 2);
    assert.deepEqual(outcomes, [['watched-key', 'taken']], 'a change of the key is a hint as any other');
  });

  it('of an outage does not have the store asked more often than the pace allows', async () => {
    const world = await started();
    world.source.listFails = 'unreachable';
    world.source.onList = () => {
      throw new FakeStoreError('unreachable');
    };
    const { listings } = world.source;
    for (let second = 0; second < 60; second += 1) {
      void world.sync.hint();
      await world.clock.advance(1_000);
    }
    assert.ok(world.source.listings - listings <= 16, `${world.source.listings - listings}`);
  });

  it('is refused once the loop has ended', async () => {
    const world = await started();
    const never = world.sync.hint().then(
      () => 'followed',
      () => 'ended',
    );
    await world.stop();
    assert.ok(['followed', 'ended'].includes(await never));
    await assert.rejects(world.sync.hint());
  });
});

describe('the pace of hints', () => {
  it('follows the first at once, the second a second later, and two in ten seconds', () => {
    const pace = new HintPace();
    assert.equal(pace.waitMs(0), 0);
    pace.looked(0);
    assert.equal(pace.waitMs(400), 600);
    assert.equal(pace.waitMs(5_000), 0);
    pace.looked(5_000);
    assert.equal(pace.waitMs(5_000), 5_000);
    assert.equal(pace.waitMs(10_000), 0);
    pace.looked(10_000);
    assert.equal(pace.waitMs(10_500), 4_500);
  });

  it('gives a burst two looks, and one when it has ended, or after 30 seconds', () => {
    const pace = new HintPace();
    for (const at of [0, 1_000]) {
      pace.hinted(at);
      assert.equal(pace.waitMs(at), 0);
      pace.looked(at);
    }
    for (let at = 2_000; at <= 30_000; at += 1_000) pace.hinted(at);
    assert.equal(pace.waitMs(30_000), 1_000, 'after 30 seconds');
    pace.hinted(30_500);
    assert.equal(pace.waitMs(31_000), 0);
    pace.looked(31_000);
    pace.hinted(31_500);
    assert.equal(pace.waitMs(31_500), 2_000, 'when it has ended');
    pace.looked(33_500);
    pace.hinted(60_000);
    assert.equal(pace.waitMs(60_000), 0, 'another one');
  });

  it('is not held up where the clock steps back by a day', () => {
    const pace = new HintPace();
    pace.looked(86_400_000);
    pace.looked(86_401_000);
    pace.hinted(0);
    assert.equal(pace.waitMs(0), 0);
    pace.looked(0);
    pace.hinted(500);
    assert.equal(pace.waitMs(500), 500, 'and then as ever');
  });
});
