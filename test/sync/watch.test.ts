import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Watch } from '../../src/sync/watch.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeStoreError } from './doubles/fake-source.ts';
import { World } from './doubles/world.ts';

const KEY = 'version.txt';
const MINUTE = 60_000;

describe('a watched key', () => {
  const worlds: World[] = [];
  let looks = 0;
  let lookFails: string | undefined;
  const started = async ({ withKey = true, settleMs = 0 } = {}): Promise<World> => {
    looks = 0;
    lookFails = undefined;
    const world: World = new World({
      settleMs,
      watchedKey: {
        key: KEY,
        look: async (known) => {
          looks += 1;
          if (lookFails !== undefined) throw new FakeStoreError(lookFails);
          const object = world.source.objects.get(KEY);
          if (object === undefined) throw new FakeStoreError('gone');
          return object.etag === known ? undefined : object.etag;
        },
      },
    });
    worlds.push(world);
    world.source.putFiles(20);
    if (withKey) world.source.put(KEY, '1');
    await world.start();
    await world.clock.drive(world.sync.ready);
    return world;
  };
  const refresh = (world: World) => world.clock.drive(world.sync.refresh());
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  it('costs one look a poll and no listing while it is the same', async () => {
    const world = await started();
    assert.deepEqual([looks, world.source.listings], [1, 1]);
    await world.clock.advance(9 * MINUTE);
    assert.equal(world.source.listings, 1);
    assert.ok(looks >= 9 * 5 && looks <= 9 * 7, `${looks} looks in 9 minutes`);
    const { source } = world.sync.view;
    assert.ok(source.lastSuccessAt! > world.clock.now() - 12_000, 'what is shown is known to be fresh');
  });

  it('makes a deploy one publication: nothing of it is shown before the key changes', async () => {
    const world = await started();
    for (let file = 0; file < 30; file++) {
      world.source.put(`dags/new${file}.py`);
      await world.clock.advance(2_000);
    }
    assert.equal(world.presenter.publications.length, 1);
    world.source.put(KEY, '2');
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
    assert.equal(world.presenter.files().length, 51);
    const { listings } = world.source;
    await world.clock.advance(MINUTE);
    assert.equal(world.source.listings, listings);
  });

  it('that changes while it is listed leads to another listing', async () => {
    const world = await started();
    world.source.put(KEY, '2');
    world.source.onList = () => {
      // Changes the bucket after the listing has read it, as a second deploy would.
      world.source.onList = () => undefined;
      world.source.put('dags/second.py');
      world.source.put(KEY, '3');
    };
    for (let poll = 0; poll < 4; poll++) await world.clock.advance(11_000);
    assert.ok(world.presenter.files().includes('dags/second.py'));
    const { listings } = world.source;
    await world.clock.advance(MINUTE);
    assert.equal(world.source.listings, listings);
  });

  it('is compared with what it was before the listing, not with what came to be seen of it since', async () => {
    let etag = '1';
    const asked: (string | undefined)[] = [];
    const look = async (known: string | undefined): Promise<string | undefined> => {
      asked.push(known);
      return etag === known ? undefined : etag;
    };
    const { signal } = new AbortController();
    const watch = new Watch({ key: KEY, look }, new FakeClock(), new RecordingLog());
    assert.equal(await watch.isDue(signal), true);
    watch.listed();
    assert.equal(await watch.isDue(signal), false);
    etag = '2';
    assert.equal(await watch.isDue(signal), true);
    // The listing failed, so the change is still due.
    assert.equal(await watch.isDue(signal), true);
    etag = '3';
    watch.listed();
    assert.equal(await watch.isDue(signal), true);
    watch.listed();
    assert.equal(await watch.isDue(signal), false);
    assert.deepEqual(asked, [undefined, '1', '1', '1', '2', '3']);
  });

  it('is bypassed by a refresh, and by a full listing every ten minutes', async () => {
    const world = await started();
    world.source.put('dags/quiet.py');
    await world.clock.advance(MINUTE);
    assert.equal(world.presenter.publications.length, 1);
    assert.equal((await refresh(world)).kind, 'published');
    world.source.put('dags/quieter.py');
    await world.clock.advance(9 * MINUTE);
    assert.equal(world.presenter.publications.length, 2);
    await world.clock.advance(2 * MINUTE);
    assert.equal(world.presenter.publications.length, 3);
  });

  it('that is missing is said once, and every poll lists until it is there', async () => {
    const world = await started({ withKey: false });
    world.source.put('dags/one.py');
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
    await world.clock.advance(MINUTE);
    assert.ok(world.source.listings >= 6);
    assert.equal(world.log.count('warn', 'watched-key-missing'), 1);
    world.source.put(KEY, '1');
    await world.clock.advance(22_000);
    assert.equal(world.log.count('info', 'watched-key-found'), 1);
    const { listings } = world.source;
    await world.clock.advance(MINUTE);
    assert.equal(world.source.listings, listings);
    world.source.delete(KEY);
    await world.clock.advance(MINUTE);
    assert.equal(world.log.count('warn', 'watched-key-missing'), 2);
    assert.ok(world.source.listings >= listings + 5);
  });

  it('that may not be read is like one that is missing', async () => {
    const world = await started();
    lookFails = 'denied';
    world.source.put('dags/one.py');
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
    assert.equal(world.log.count('warn', 'watched-key-missing'), 1);
  });

  it('that cannot be asked for is a failed revalidation, tried again, and loses no change', async () => {
    const world = await started();
    world.source.put('dags/one.py');
    world.source.put(KEY, '2');
    lookFails = 'unreachable';
    await world.clock.advance(MINUTE);
    assert.equal(world.source.listings, 1);
    assert.equal(world.sync.view.source.lastError?.code, 'unreachable');
    lookFails = undefined;
    world.source.listFails = 'throttled';
    await world.clock.advance(MINUTE);
    assert.equal(world.sync.view.source.lastError?.code, 'throttled');
    world.source.listFails = undefined;
    await world.clock.advance(11_000);
    assert.equal(world.presenter.publications.length, 2);
  });

  it('does not keep a hold from ending by itself', async () => {
    const world = await started();
    const objects = new Map(world.source.objects);
    world.source.deleteFiles(15);
    world.source.put(KEY, '2');
    await world.clock.advance(11_000);
    assert.notEqual(world.sync.view.held, undefined);
    for (const [path, object] of objects) if (path !== KEY) world.source.objects.set(path, object);
    await world.clock.advance(11_000);
    assert.equal(world.sync.view.held, undefined);
  });

  it('is shown like any other object', async () => {
    const world = await started();
    assert.ok(world.presenter.files().includes(KEY));
  });
});
