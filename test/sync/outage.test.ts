import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { World } from './doubles/world.ts';

const MINUTE = 60_000;
/** The longest wait before a page is retried, and the time for all tries: src/store/request-retry.ts, fetch-page.ts. */
const BACKOFF_MS = 2_000;
const PAGE_MS = 10_000;

describe('a store that is down for ten minutes under a scanning load', () => {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  async function started(pollMs: number): Promise<World> {
    const world = new World({ pollMs, settleMs: 1_000 });
    worlds.push(world);
    world.source.putFiles(100);
    await world.start();
    await world.clock.drive(world.sync.ready);
    return world;
  }

  /** Listings fail late, as those of a store that does not answer, and succeed if the store comes back meanwhile. */
  function goDown(world: World, code = 'unreachable'): void {
    world.source.listFails = code;
    world.cache.allFail = code;
    world.source.onList = async () => {
      for (let waited = 0; waited < PAGE_MS && world.source.listFails !== undefined; waited += BACKOFF_MS) {
        await world.clock.sleep(BACKOFF_MS, world.signal);
      }
    };
  }

  function comeBack(world: World): void {
    world.source.listFails = undefined;
    world.cache.allFail = undefined;
  }

  /** Reads every shown file, as a scan would. */
  async function scan(world: World): Promise<void> {
    const { generation } = world.sync.shown!;
    const { signal } = world;
    let files = 0;
    for (let index = 0; index < generation.entries; index++) {
      if (generation.isDirectory(index)) continue;
      const version = generation.version(index);
      const read = await world.sync.read(version, undefined, { deadlineMs: PAGE_MS, signal });
      assert.equal(read.kind, 'local', generation.path(index));
      files += 1;
    }
    assert.equal(files, 100);
  }

  for (const code of ['unreachable', 'throttled', 'expired']) {
    it(`loses no entry and fails no read of what is cached (${code}), and status says since when`, async () => {
      const world = await started(10_000);
      await world.clock.advance(30_000);
      const lastGood = world.sync.view.source.lastSuccessAt!;
      goDown(world, code);
      world.source.put('dags/new.py');
      const down = world.clock.now();
      for (let passed = 0; passed < 10 * MINUTE; passed += 5_000) {
        await world.clock.advance(5_000);
        await scan(world);
      }
      assert.equal(world.presenter.publications.length, 1);
      assert.deepEqual(world.sync.view.readFailures, { unavailable: 0, replaced: 0 });
      const { source } = world.sync.view;
      assert.equal(source.lastError?.code, code);
      assert.ok(source.consecutiveFailures > 20);
      assert.ok(source.lastSuccessAt! >= lastGood && source.lastSuccessAt! <= down);
      assert.equal(world.log.count('warn', 'revalidation-failed'), 1);
    });
  }

  it('publishes the next tree within 1.1 times the poll interval and 10 s of its return', async () => {
    for (const pollMs of [2_000, 10_000, 60_000]) {
      for (let run = 0; run < 12; run++) {
        const world = await started(pollMs);
        goDown(world);
        world.source.put('dags/new.py');
        // The store returns at any moment between two tries, and waits have any length from 1 s to the interval.
        const luck = (run % 4) / 3.001;
        world.clock.nextRandoms(...Array.from({ length: 1_000 }, () => luck));
        await world.clock.advance(10 * MINUTE + run * 1_700);
        assert.equal(world.presenter.publications.length, 1);
        comeBack(world);
        const returned = world.clock.now();
        await world.clock.advance(1.1 * pollMs + 10_000);
        assert.equal(world.presenter.publications.length, 2, `poll ${pollMs} ms, run ${run}`);
        const { publishedAt } = world.sync.view.generation!;
        assert.ok(publishedAt - returned <= 1.1 * pollMs + 10_000);
        assert.equal(world.sync.view.source.consecutiveFailures, 0);
        await world.stop();
        worlds.pop();
      }
    }
  });

  it('gives a read of what is not local an error at once, not after a deadline each', async () => {
    const world = await started(10_000);
    goDown(world);
    await world.clock.advance(MINUTE);
    const { generation } = world.sync.shown!;
    const index = generation.find('dags/file00000.py');
    world.cache.blobs.delete(generation.versionName(index));
    const before = world.clock.now();
    const { signal } = world;
    const read = await world.sync.read(generation.version(index), undefined, { deadlineMs: PAGE_MS, signal });
    assert.deepEqual(read, { kind: 'error', failure: 'unavailable', code: 'source-down' });
    assert.equal(world.clock.now(), before);
  });
});
