import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Yielder } from '../../src/base/yielder.ts';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import type { Built } from '../../src/source/source.ts';
import { ContentState, MARK } from '../../src/sync/content-state.ts';
import { prefetch } from '../../src/sync/prefetch.ts';
import { Progress } from '../../src/sync/progress.ts';
import { StaleVersions } from '../../src/sync/stale-versions.ts';
import { SlowFetches } from '../../src/sync/unreadable/slow-fetches.ts';
import { UnreadableObjects } from '../../src/sync/unreadable/unreadable-objects.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeCache } from './doubles/fake-cache.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

const MiB = 1024 * 1024;

describe('prefetch', () => {
  let source: FakeSource;
  let cache: FakeCache;
  let log: RecordingLog;
  let progress: Progress;
  let before: Built;

  beforeEach(async () => {
    source = new FakeSource(() => 0);
    cache = new FakeCache(source);
    log = new RecordingLog();
    progress = new Progress();
    source.putFiles(10, 'old');
    before = await treeOf(source);
  });

  const run = async (built: Built, bound = 8 * MiB, signal = new AbortController().signal) => {
    const content = new ContentState(built.generation.entries);
    const target = { generation: built.generation, content, bound };
    const clock = new FakeClock();
    const means = {
      cache,
      clock,
      concurrency: 3,
      log,
      progress,
      probe: cache.probe,
      slow: new SlowFetches(clock),
      unreadable: new UnreadableObjects(clock, log),
      allowedMs: (_: string, ms: number) => ms,
      stale: new StaleVersions(),
      adoptions: undefined,
      isWhole: false,
    };
    return { content, result: await prefetch(target, built.changes!, means, new Yielder(), signal) };
  };

  it('fetches what is new or changed, and nothing else, in the background', async () => {
    source.put('old/file00002.py', 'changed');
    source.put('new/a.py');
    source.delete('old/file00001.py');
    const built = await treeOf(source, before);
    const { content, result } = await run(built);
    assert.deepEqual(cache.fetched.toSorted(), ['new/a.py', 'old/file00002.py']);
    assert.deepEqual(new Set(cache.priorities), new Set(['background']));
    assert.deepEqual(result, { kind: 'complete', files: 2, noRoom: 0, failed: [] });
    const index = built.generation.find('new/a.py');
    assert.notEqual(content.fingerprints[index], 0n);
    assert.equal(content.marks[index], MARK.local);
    assert.deepEqual(progress.view, { pendingFiles: 0, pendingBytes: 0 });
  });

  it('leaves out what is past the bound, archived or empty', async () => {
    source.put('large', 'x'.repeat(101));
    source.put('fitting', 'x'.repeat(100));
    source.put('frozen', 'x', true);
    source.put('empty', '');
    const { result } = await run(await treeOf(source, before), 100);
    assert.deepEqual(cache.fetched, ['fitting']);
    assert.equal(result.kind, 'complete');
  });

  it('keeps to its concurrency', async () => {
    source.putFiles(50, 'new');
    cache.onFetch = () => new Promise((resolve) => setImmediate(resolve));
    await run(await treeOf(source, before));
    assert.equal(cache.mostInFlight, 3);
  });

  it('fetches a file over 8 MiB in chunks, where it is within the bound, and gives it no fingerprint', async () => {
    source.put('big', 'x'.repeat(2 * CHUNK_BYTES + 1));
    const built = await treeOf(source, before);
    const { content } = await run(built, Number.POSITIVE_INFINITY);
    const index = built.generation.find('big');
    const version = built.generation.version(index);
    assert.deepEqual(
      [0, 1, 2, 3].map((chunk) => cache.has(version, chunk)),
      [true, true, true, false],
    );
    assert.equal(content.fingerprints[index], 0n);
    assert.equal(content.marks[index], MARK.local);
  });

  for (const code of ['changed', 'gone']) {
    it(`finds the listing stale where an object is ${code}`, async () => {
      source.putFiles(100, 'new');
      cache.failures.set('new/file00007.py', code);
      const { result } = await run(await treeOf(source, before));
      assert.deepEqual(result, { kind: 'stale', path: 'new/file00007.py', code });
      assert.ok(cache.fetched.length < 100);
    });
  }

  for (const code of ['unreachable', 'throttled', 'expired', 'corrupt', 'denied', 'anything-else']) {
    it(`rejects where the store answers ${code} for other objects, too`, async () => {
      source.putFiles(20, 'new');
      cache.allFail = code;
      await assert.rejects(run(await treeOf(source, before)), { code });
      assert.ok(cache.probed.length > 0);
      assert.ok(cache.fetched.length < 20);
    });

    it(`goes on where one object alone is ${code}`, async () => {
      source.putFiles(20, 'new');
      cache.failures.set('new/file00007.py', code);
      const built = await treeOf(source, before);
      const { result } = await run(built);
      assert.equal(result.kind, 'complete');
      assert.deepEqual(
        result.kind === 'complete' &&
          result.failed.map(({ version, failure }) => [version.path, failure.code]),
        [['new/file00007.py', code]],
      );
      assert.equal(cache.fetched.length, 20);
    });
  }

  it('rejects where the store goes down while others have come already', async () => {
    source.putFiles(20, 'new');
    cache.onFetch = () => {
      if (cache.fetched.length > 10) cache.allFail = 'unreachable';
    };
    await assert.rejects(run(await treeOf(source, before)), { code: 'unreachable' });
  });

  it('rejects where there is no other object to compare with', async () => {
    const alone = new FakeSource(() => 0);
    cache = new FakeCache(alone);
    before = await treeOf(alone);
    alone.put('only');
    cache.failures.set('only', 'unreachable');
    await assert.rejects(run(await treeOf(alone, before)), { code: 'unreachable' });
  });

  it('counts what the disk cannot take as past the bound, and gives up on a disk that takes nothing', async () => {
    source.putFiles(200, 'new');
    cache.full = true;
    const built = await treeOf(source, before);
    const { content, result } = await run(built);
    assert.equal(result.kind, 'complete');
    assert.ok(cache.fetched.length < 50);
    assert.ok(content.marks.every((mark) => mark === MARK.unknown));
    assert.equal(log.count('warn', 'cache-full'), 1);
  });

  it('ends when it is aborted', async () => {
    source.putFiles(20, 'new');
    const abort = new AbortController();
    cache.onFetch = () => {
      abort.abort(new Error('enough'));
      return new Promise(() => undefined);
    };
    await assert.rejects(run(await treeOf(source, before), 8 * MiB, abort.signal), /enough/);
    assert.equal(cache.inFlight, 0);
  });
});
