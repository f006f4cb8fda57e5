import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Backlog, type BacklogOptions } from '../../src/sync/backlog.ts';
import { ContentState, MARK } from '../../src/sync/content-state.ts';
import type { FetchTarget } from '../../src/sync/fetch-target.ts';
import { SlowFetches } from '../../src/sync/unreadable/slow-fetches.ts';
import { UnreadableObjects } from '../../src/sync/unreadable/unreadable-objects.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeCache } from './doubles/fake-cache.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

describe('the backlog', () => {
  let source: FakeSource;
  let cache: FakeCache;
  let clock: FakeClock;
  let log: RecordingLog;
  let backlog: Backlog;
  let unreadable: UnreadableObjects;
  let refreshes: number;
  let answer: 'current' | 'published' | 'held' | 'failed';

  const setUp = (changes: Partial<BacklogOptions> = {}): void => {
    source = new FakeSource(() => 0);
    cache = new FakeCache(source);
    clock = new FakeClock();
    log = new RecordingLog();
    unreadable = new UnreadableObjects(clock, log);
    refreshes = 0;
    answer = 'current';
    backlog = new Backlog({
      cache,
      clock,
      log,
      concurrency: 1,
      pollMs: 10_000,
      unreadableWaitMs: 60_000,
      probe: cache.probe,
      slow: new SlowFetches(clock),
      unreadable,
      refresh: async () => {
        refreshes += 1;
        return { kind: answer };
      },
      ...changes,
    });
  };
  beforeEach(() => setUp());

  afterEach(() => backlog.stop());

  const target = async (bound = 1_000_000): Promise<FetchTarget> => {
    const { generation } = await treeOf(source);
    return { generation, content: new ContentState(generation.entries), bound };
  };

  it('fetches in the order of the tree, directory by directory', async () => {
    for (const path of ['b/1', 'a/1', 'top', 'b/2', 'a/2', 'a/deep/3']) source.put(path);
    const shown = await target();
    backlog.start(shown);
    await clock.drive(backlog.ready);
    const inOrder: string[] = [];
    for (let index = 0; index < shown.generation.entries; index++) {
      if (!shown.generation.isDirectory(index)) inOrder.push(shown.generation.path(index));
    }
    assert.deepEqual(cache.fetched, inOrder);
  });

  it('says what is pending, and is ready when nothing is', async () => {
    source.putFiles(3);
    let release = (): void => undefined;
    cache.onFetch = () => new Promise((resolve) => (release = resolve));
    backlog.start(await target());
    await clock.settle();
    assert.equal(backlog.pending.pendingFiles, 3);
    assert.equal(backlog.pending.pendingBytes, 3 * 'content of dags/file00000.py'.length);
    release();
    await clock.settle();
    assert.equal(backlog.pending.pendingFiles, 2);
    assert.equal(backlog.isReady, false);
    cache.onFetch = () => undefined;
    release();
    await clock.drive(backlog.ready);
    assert.equal(backlog.isReady, true);
    assert.deepEqual(backlog.pending, { pendingFiles: 0, pendingBytes: 0 });
  });

  it('is ready at once for a tree without files, and does not read recovered blobs', async () => {
    source.putFiles(3);
    const shown = await target();
    for (let index = 0; index < shown.generation.entries; index++) {
      cache.blobs.set(shown.generation.versionName(index), 1n);
    }
    backlog.start(shown);
    await clock.drive(backlog.ready);
    assert.deepEqual(cache.priorities, []);
    assert.equal(shown.content.fingerprints[shown.generation.find('dags/file00000.py')], 0n);
    assert.equal(shown.content.marks[shown.generation.find('dags/file00000.py')], MARK.local);
  });

  it('pauses while the store is in trouble and goes on by itself, warning once', async () => {
    source.putFiles(5);
    cache.allFail = 'unreachable';
    backlog.start(await target());
    await clock.advance(60_000);
    assert.equal(backlog.isReady, false);
    assert.equal(backlog.pending.pendingFiles, 5);
    assert.equal(log.count('warn'), 1);
    cache.allFail = undefined;
    await clock.advance(10_001);
    assert.equal(backlog.isReady, true);
  });

  it('does not let one damaged object keep the others from being fetched, nor readiness for ever', async () => {
    source.putFiles(5);
    cache.failures.set('dags/file00000.py', 'corrupt');
    const shown = await target();
    backlog.start(shown);
    await clock.settle();
    assert.equal(cache.blobs.size, 4);
    assert.equal(backlog.pending.pendingFiles, 1);
    await clock.drive(backlog.ready);
    assert.deepEqual(backlog.pending, { pendingFiles: 0, pendingBytes: 0 });
    assert.equal(log.told('unreadable-objects').length, 1);
    // The backlog still retries the object, ever less often.
    const tries = cache.fetched.length;
    await clock.advance(3_600_000);
    assert.ok(cache.fetched.length > tries + 3 && cache.fetched.length < tries + 20);
    assert.equal(log.told('unreadable-objects').length, 1);
    cache.failures.clear();
    await clock.advance(600_001);
    assert.equal(cache.blobs.size, 5);
  });

  it('is not ready where many objects cannot be had, until that is accepted or they come', async () => {
    for (const end of ['accepted', 'come'] as const) {
      source.putFiles(20);
      for (let file = 0; file < 8; file++) {
        cache.failures.set(`dags/file${String(file).padStart(5, '0')}.py`, 'corrupt');
      }
      const shown = await target();
      backlog.start(shown);
      await clock.advance(120_000);
      assert.equal(cache.blobs.size, 12);
      assert.equal(backlog.isReady, false);
      assert.equal(backlog.held?.reason, 'unreadable-objects');
      assert.equal(backlog.held?.generation, shown.generation.id);
      assert.equal(log.told('held').length, 1);
      if (end === 'accepted') backlog.accept();
      else cache.failures.clear();
      await clock.advance(20_000);
      assert.equal(backlog.isReady, true);
      assert.equal(backlog.held, undefined);
      assert.equal(unreadable.problems.length, end === 'accepted' ? 8 : 0);
      await backlog.stop();
      setUp();
    }
  });

  it('names the object that the tree waits for, before it has failed and after', async () => {
    source.putFiles(5);
    cache.onFetch = (path) => (path === 'dags/file00003.py' ? new Promise(() => undefined) : undefined);
    backlog.start(await target());
    await clock.advance(6_000);
    assert.deepEqual(
      backlog.waiting?.objects.map(({ path }) => path),
      ['dags/file00003.py'],
    );
    await clock.advance(45_000);
    assert.match(backlog.waiting?.objects[0]?.detail ?? '', /^overdue: /);
    assert.equal(log.told('waiting-for-objects').length, 1);
    await clock.advance(60_000);
    assert.equal(backlog.isReady, true);
    assert.equal(backlog.waiting, undefined);
    assert.equal(unreadable.problems[0]?.key, 'dags/file00003.py');
  });

  it('is ready at once where only what was known to be unreadable is missing, also in an outage', async () => {
    source.putFiles(5);
    const shown = await target();
    for (let index = 0; index < shown.generation.entries; index++) {
      if (shown.generation.path(index) !== 'dags/file00003.py') {
        cache.blobs.set(shown.generation.versionName(index), 9n);
      }
    }
    const detail = 'unreachable: the store said 500';
    const known = { key: 'dags/file00003.py', reason: 'unreadable-object', detail } as const;
    assert.deepEqual(unreadable.restore(shown.generation, [known]), []);
    cache.allFail = 'unreachable';
    backlog.start(shown);
    await clock.settle();
    assert.equal(backlog.isReady, true);
    assert.deepEqual(unreadable.problems, [known]);
    cache.allFail = undefined;
    await clock.advance(60_000);
    assert.deepEqual(unreadable.problems, []);
  });

  it('asks for a refresh where an object has gone, goes on, and gives up on what is still listed', async () => {
    source.putFiles(5);
    cache.failures.set('dags/file00000.py', 'gone');
    const shown = await target();
    backlog.start(shown);
    await clock.drive(backlog.ready);
    assert.equal(cache.blobs.size, 4);
    assert.ok(refreshes >= 1);
    assert.deepEqual(
      unreadable.problems.map(({ key, reason }) => [key, reason]),
      [['dags/file00000.py', 'unreadable-object']],
    );
  });

  it('tries what has gone again where no refresh succeeded', async () => {
    source.putFiles(5);
    cache.failures.set('dags/file00000.py', 'changed');
    answer = 'failed';
    backlog.start(await target());
    await clock.advance(30_000);
    assert.equal(backlog.isReady, false);
    cache.failures.clear();
    await clock.advance(10_001);
    assert.equal(backlog.isReady, true);
  });

  it('is not called ready where the store denies the reading of all there is', async () => {
    source.putFiles(3);
    cache.allFail = 'denied';
    backlog.start(await target());
    await assert.rejects(clock.drive(backlog.ready), { code: 'denied' });
    assert.equal(backlog.isReady, false);
    cache.allFail = undefined;
    await clock.advance(20_000);
    await clock.drive(backlog.readyAtLast);
    assert.equal(backlog.isReady, true);
    assert.equal(cache.blobs.size, 3);
  });

  it('is not called ready without content of a tree that must be whole, until that comes', async () => {
    setUp({ mustBeWhole: true, unreadableWaitMs: 0, isOwnFault: () => true });
    source.putFiles(3);
    cache.failures.set('dags/file00000.py', 'corrupt');
    backlog.start(await target());
    await assert.rejects(clock.drive(backlog.ready), { code: 'corrupt' });
    await clock.advance(3_600_000);
    assert.equal(backlog.isReady, false);
    cache.failures.clear();
    await clock.advance(3_600_000);
    await clock.drive(backlog.readyAtLast);
    assert.equal(cache.blobs.size, 3);
  });

  it('is called ready once a tree is shown that is whole', async () => {
    setUp({ mustBeWhole: true, unreadableWaitMs: 0, isOwnFault: () => true });
    source.putFiles(3);
    cache.failures.set('dags/file00000.py', 'corrupt');
    backlog.start(await target());
    await assert.rejects(clock.drive(backlog.ready), { code: 'corrupt' });
    source.delete('dags/file00000.py');
    backlog.start(await target());
    await clock.drive(backlog.readyAtLast);
    assert.equal(backlog.isReady, true);
  });

  it('is ready where one object alone is denied', async () => {
    source.putFiles(3);
    cache.failures.set('dags/file00000.py', 'denied');
    backlog.start(await target());
    await clock.drive(backlog.ready);
    assert.equal(cache.blobs.size, 2);
  });

  it('does not wait for what the disk cannot take', async () => {
    source.putFiles(200);
    cache.full = true;
    backlog.start(await target());
    await clock.drive(backlog.ready);
    assert.ok(cache.fetched.length < 50);
  });

  it('goes over to the next tree, and joins the fetches that are under way', async () => {
    source.putFiles(5);
    let arrive = (): void => undefined;
    cache.onFetch = () => new Promise((resolve) => (arrive = resolve));
    const before = await target();
    backlog.start(before);
    await clock.settle();
    assert.equal(cache.inFlight, 1);
    cache.onFetch = () => undefined;
    source.delete('dags/file00004.py');
    const after = await target();
    backlog.start(after);
    arrive();
    await clock.drive(backlog.ready);
    await clock.settle();
    // The old run has started no other fetch, and has given up none.
    assert.equal(cache.blobs.size, 4);
    assert.equal(before.content.fingerprints.filter((fingerprint) => fingerprint !== 0n).length, 0);
    assert.equal(after.content.fingerprints.filter((fingerprint) => fingerprint !== 0n).length, 4);
  });

  it('ends when it is stopped', async () => {
    source.putFiles(5);
    cache.onFetch = () => new Promise(() => undefined);
    backlog.start(await target());
    await clock.settle();
    backlog.start(await target());
    await clock.settle();
    await backlog.stop();
    assert.equal(cache.inFlight, 0);
    assert.equal(clock.sleeping, 0);
  });
});
