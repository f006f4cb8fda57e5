import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ContentCache } from '../../src/cache/content-cache.ts';
import { ReleaseContent } from '../../src/source/release/content/release-content.ts';
import { decodeBody, encodeBody, lengthOf } from '../../src/state/state-body.ts';
import type { Persister, TakeoverState } from '../../src/sync/ports.ts';
import type { Restored } from '../../src/sync/restored.ts';
import { Sync, type SyncOptions } from '../../src/sync/sync.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { FakeClock } from './doubles/fake-clock.ts';
import { FakePresenter } from './doubles/fake-presenter.ts';
import { MemoryReleases } from './doubles/memory-releases.ts';

/** Keeps what a state file would, as its bytes. */
class KeptBody implements Persister {
  readonly troubles = [];
  #body: Buffer | undefined;
  instant = { seconds: 0, nanoseconds: 0 };

  async persist(state: TakeoverState): Promise<void> {
    const body = await encodeBody(state, { mountId: 'm', filters: 'f', writtenBy: 'test' });
    this.#body = Buffer.concat(body, lengthOf(body));
  }

  async commit(instant: { readonly seconds: number; readonly nanoseconds: number }): Promise<void> {
    this.instant = instant;
  }

  acknowledged(): void {}

  restored(): Restored {
    const { generation, problems, nextNodeId, removedDirectories, replaced, peaks, history, release } =
      decodeBody(this.#body!, this.instant);
    const { seconds } = this.instant;
    return {
      generation,
      problems,
      nextNodeId,
      removedDirectories,
      replaced,
      peaks,
      history,
      release,
      publishedAt: 1000 * seconds,
      lastSecond: seconds,
    };
  }
}

interface WorldOptions extends Partial<SyncOptions> {
  readonly releases?: MemoryReleases;
  readonly directory?: string;
  readonly restored?: Restored;
  readonly limitBytes?: number;
}

/** A Sync over a real cache, and releases in memory. */
async function worldOf(t: Cleanup, options: WorldOptions = {}) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const releases = options.releases ?? new MemoryReleases(() => clock.now());
  const directory = options.directory ?? join(await temporaryDirectory(t), 'v1', '0123456789ab');
  const content = new ReleaseContent(releases.packs);
  const { limitBytes = 1e6 } = options;
  const lock = () => ({ release: () => undefined });
  const cache = await ContentCache.open({ directory, limitBytes, store: content, lock, clock, log });
  const presenter = new FakePresenter();
  const persister = new KeptBody();
  const { signal } = new AbortController();
  const sync = new Sync(
    {
      source: releases,
      planner: content,
      cache,
      presenter,
      persister,
      clock,
      log,
      settleMs: 1_000,
      unreadableWaitMs: 60_000,
      probe: () => Promise.reject(new Error('nothing is probed')),
      pollMs: 10_000,
      prefetchBytes: 8 * 1024 * 1024,
      cacheBytes: limitBytes,
      maxDelete: 0.5,
      allowEmpty: false,
      concurrency: 4,
      observeStage: () => undefined,
      ...options,
    },
    options.restored,
  );
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  const drive = async <T>(promise: Promise<T>): Promise<T> => {
    let over = false;
    const done = (): void => {
      over = true;
    };
    promise.then(done, done);
    while (!over) await clock.advance(10);
    return promise;
  };
  const start = async (): Promise<void> => {
    await drive(sync.start(abort.signal));
    running = sync.run(abort.signal);
    await drive(sync.ready);
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      abort.abort();
      await running;
      await cache.close();
    })();
    return closed;
  };
  defer(t, close);
  const read = async (path: string): Promise<string> => {
    const { generation } = sync.shown!;
    const version = generation.version(generation.find(path));
    const result = await drive(sync.read(version, undefined, { deadlineMs: 10_000, signal }));
    return result.kind;
  };
  const refresh = () => drive(sync.refresh());
  return { clock, log, releases, directory, cache, presenter, persister, sync, start, close, read, refresh };
}

describe('releases', () => {
  test('are shown without settling, and content that is here under another path is not fetched again', async (t) => {
    const world = await worldOf(t);
    const first = world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const asked = world.releases.packs.asked.length;
    world.releases.put(first.map((file) => ({ ...file, path: `moved/${file.path}` })));
    const looks = world.releases.looks;
    assert.equal((await world.refresh()).kind, 'published');
    assert.equal(world.releases.looks, looks + 1, 'one look is enough');
    assert.deepEqual(world.presenter.files(), ['moved/a.py', 'moved/b.py']);
    assert.equal(world.releases.packs.asked.length, asked);
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });

  test('keep the content of a path that is gone where another path has it', async (t) => {
    const world = await worldOf(t, { limitBytes: 10 });
    const [a, b] = world.releases.deploy({ 'a.py': 'same!', 'b.py': 'same!' });
    await world.start();
    world.releases.put([a!]);
    await world.refresh();
    for (const publication of world.presenter.publications.slice(0, 1)) {
      const { generation } = publication;
      world.presenter.release(generation.nodeId(generation.find('b.py')));
    }
    assert.deepEqual(world.cache.inspection.ranks.kept, { entries: 1, bytes: 5 });
    assert.equal(b!.sha256, a!.sha256);
  });

  test('of which a pack is missing, or is another one, are held; the tree stays, and they follow once it is back', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const [changed] = world.releases.deploy({ 'a.py': 'new', 'b.py': 'two' });
    const key = `packs/${changed!.place!.pack}`;
    const bytes = world.releases.packs.objects.get(key)!;
    for (const [damage, reason] of [
      [undefined, 'missing-pack'],
      ['garbage', 'damaged-pack'],
    ] as const) {
      if (damage === undefined) world.releases.packs.objects.delete(key);
      else world.releases.packs.objects.set(key, Buffer.from(damage));
      const outcome = await world.refresh();
      assert.ok(outcome.kind === 'held');
      assert.equal(outcome.held.reason, reason);
      assert.ok(
        outcome.held.detail.includes(key) && outcome.held.detail.includes('.py'),
        outcome.held.detail,
      );
      assert.equal(world.sync.view.release?.step.sequence, 1);
      assert.equal(world.presenter.publications.length, 1);
    }
    world.releases.packs.objects.set(key, bytes);
    assert.equal((await world.refresh()).kind, 'published');
    assert.equal(world.sync.view.held, undefined);
  });

  test('that are not believed are held with the reason, and what is shown can be read', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one' });
    await world.start();
    const step = { sequence: 2, release: 'sha256-x', digest: 'ab'.repeat(32) };
    const hold = {
      reason: 'signature',
      detail: 'Nobody signed it',
      hint: 'Sign it.',
      step,
      acceptable: true,
    };
    world.releases.hold = hold;
    const outcome = await world.refresh();
    assert.ok(outcome.kind === 'held');
    assert.equal(outcome.held.reason, 'signature');
    assert.equal(outcome.held.generation, 'ab'.repeat(16));
    assert.equal(await world.read('a.py'), 'local');
    const accepted = world.sync.accept(outcome.held.generation);
    while (world.releases.accepted === undefined) await world.clock.advance(10);
    assert.equal((await accepted).kind, 'accepted');
    assert.equal(world.releases.accepted, step.digest);
  });

  test('of which the first is not believed, or is not to be shown yet, end the start by a code of their own', async (t) => {
    const world = await worldOf(t);
    world.releases.hold = {
      reason: 'missing-ref',
      detail: 'There is no ref',
      hint: 'Deploy.',
      step: undefined,
      acceptable: false,
    };
    await assert.rejects(world.start(), { code: 'release-held', hint: 'Deploy.' });
    world.releases.hold = undefined;
    await assert.rejects(world.start(), { code: 'release-early' });
  });

  test('of which the first lacks content are never ready', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one' });
    world.releases.packs.objects.clear();
    await assert.rejects(world.start(), { code: 'missing-pack' });
  });

  test('that take most files away pass the guard where whoever deployed them said so, and then alone', async (t) => {
    const names = Array.from({ length: 20 }, (_, index) => `f${index}.py`);
    const world = await worldOf(t);
    const files = world.releases.deploy(Object.fromEntries(names.map((name) => [name, name])));
    await world.start();
    world.releases.put(files.slice(0, 5));
    assert.equal((await world.refresh()).kind, 'held');
    world.releases.put(files.slice(0, 5), { allowsDeletions: true });
    assert.equal((await world.refresh()).kind, 'published');
    world.releases.put(files.slice(0, 6));
    assert.equal((await world.refresh()).kind, 'published', 'what was shown before does not count any more');
  });

  test('that are armed are fetched at once, and shown at their instant', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one' });
    await world.start();
    const at = world.clock.now() + 60_000;
    const [next] = world.releases.packs.write({ 'a.py': 'next' });
    world.releases.arm([next!], at);
    assert.equal((await world.refresh()).kind, 'current');
    assert.ok(world.releases.packs.asked.some((asked) => asked.includes(next!.place!.pack)));
    assert.equal(world.sync.view.release?.armed?.at, at);
    world.releases.packs.objects.clear();
    await world.clock.advance(at - world.clock.now() - 1);
    assert.equal(world.presenter.publications.length, 1);
    const shownAt: number[] = [];
    world.presenter.onPublish = () => void shownAt.push(world.clock.now());
    while (shownAt.length === 0) await world.clock.advance(10);
    assert.ok(shownAt[0]! - at <= 100, `${shownAt[0]! - at} ms late`);
    assert.ok(shownAt[0]! >= at);
    await world.clock.advance(30_000);
    assert.equal(world.presenter.publications.length, 2, 'and stays');
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });

  test('are gone on with from what was kept: who deployed them, and where contents are that were evicted', async (t) => {
    const before = await worldOf(t);
    before.releases.deploy({ 'a.py': 'one', 'run.sh': 'two' });
    await before.start();
    before.releases.put(before.releases.packs.write({ 'a.py': 'other', 'run.sh': 'two' }, true));
    assert.equal((await before.refresh()).kind, 'published');
    await before.close();
    const after = await worldOf(t, { releases: before.releases, restored: before.persister.restored() });
    after.releases.hold = {
      reason: 'missing-ref',
      detail: 'gone',
      hint: 'Deploy.',
      step: undefined,
      acceptable: false,
    };
    await after.start();
    assert.equal(after.sync.view.release?.step.sequence, 2);
    const { generation } = after.sync.shown!;
    assert.ok(generation.isExecutable(generation.find('run.sh')));
    // Nothing is in this cache, and no manifest was read.
    assert.equal(await after.read('a.py'), 'local');
  });

  test('of the same files in other packs are fetched from there', async (t) => {
    const world = await worldOf(t, { prefetchBytes: 0 });
    world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const old = [...world.releases.packs.objects.keys()];
    world.releases.deploy({ 'b.py': 'two', 'a.py': 'one' });
    assert.equal((await world.refresh()).kind, 'published');
    for (const key of old) world.releases.packs.objects.delete(key);
    assert.equal(await world.read('a.py'), 'local');
    const [first, second] = world.presenter.publications;
    assert.equal(first!.generation.id, second!.generation.id);
    assert.deepEqual(
      [...second!.changes!.added, ...second!.changes!.changed, ...second!.changes!.removed],
      [],
    );
  });
});
