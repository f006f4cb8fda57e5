import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ReadThrough } from '../../src/sync/read-through.ts';
import { UnreadableObjects } from '../../src/sync/unreadable/unreadable-objects.ts';
import type { ContentVersion, Generation } from '../../src/tree/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeCache } from './doubles/fake-cache.ts';
import { FakeSource, FakeStoreError } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

describe('a read of what is not local', () => {
  let source: FakeSource;
  let cache: FakeCache;
  let clock: FakeClock;
  let log: RecordingLog;
  let reads: ReadThrough;
  let generation: Generation;
  let version: ContentVersion;
  let down: boolean;
  let refreshes: number;
  let found: string[];
  let ahead: number[];

  beforeEach(async () => {
    source = new FakeSource(() => 0);
    cache = new FakeCache(source);
    clock = new FakeClock();
    log = new RecordingLog();
    source.put('a', 'one');
    ({ generation } = await treeOf(source));
    version = generation.version(generation.find('a'));
    down = false;
    refreshes = 0;
    found = [];
    ahead = [];
    reads = new ReadThrough({
      cache,
      clock,
      log,
      unreadable: new UnreadableObjects(clock, log),
      ahead: {
        asked: (_version, chunk) => ahead.push(chunk),
        arrived: (_version, chunk) => ahead.push(chunk + 0.5),
        left: (_version, chunk) => ahead.push(-chunk),
      },
      concurrency: 32,
      isSourceDown: () => down,
      generation: () => generation,
      found: ({ path }) => found.push(path),
      refresh: () => {
        refreshes += 1;
      },
    });
  });

  const read = (signal = new AbortController().signal, chunk?: number) =>
    clock.drive(reads.readVersion(version, chunk, { deadlineMs: 10_000, signal }));

  it('makes it local, ahead of what is prefetched', async () => {
    assert.deepEqual(await read(), { kind: 'local', fingerprint: 2n });
    assert.deepEqual(cache.priorities, ['demand']);
    assert.deepEqual(found, ['a']);
    assert.equal(clock.sleeping, 0);
  });

  it('hands on what the disk could not take', async () => {
    cache.full = true;
    assert.deepEqual(await read(), { kind: 'memory', bytes: Buffer.from('one') });
  });

  for (const code of ['changed', 'gone']) {
    it(`is ESTALE, with a refresh under way, where the object is ${code}`, async () => {
      cache.allFail = code;
      assert.deepEqual(await read(), { kind: 'error', failure: 'replaced', code });
      assert.equal(refreshes, 1);
      assert.deepEqual(reads.failures, { unavailable: 0, replaced: 1 });
    });
  }

  it('asks for no refresh on behalf of a version that is shown no more', async () => {
    version = { ...version, name: 'f'.repeat(32) };
    cache.allFail = 'changed';
    assert.deepEqual(await read(), { kind: 'error', failure: 'replaced', code: 'changed' });
    assert.equal(refreshes, 0);
  });

  for (const code of ['unreachable', 'throttled', 'expired']) {
    it(`is EIO, with a look at the source, where the store is ${code}`, async () => {
      cache.allFail = code;
      assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code });
      assert.equal(refreshes, 1);
    });
  }

  for (const code of ['denied', 'unreadable-class', 'corrupt']) {
    it(`is EIO where the object is ${code}`, async () => {
      cache.allFail = code;
      assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code });
      assert.equal(refreshes, 0);
      assert.equal(reads.failures.unavailable, 1);
    });
  }

  it('says which chunk of a large file was asked for, and that its reader left', async () => {
    await read(undefined, 3);
    assert.deepEqual(ahead, [3, 3.5]);
    cache.allFail = 'denied';
    await read(undefined, 4);
    assert.deepEqual(ahead, [3, 3.5, 4, -4]);
  });

  it('is EIO at once where what is in the cache turns out to be bad while the source is known to be down', async () => {
    down = true;
    cache.blobs.set(version.name, 9n);
    const asked: (boolean | undefined)[] = [];
    cache.ensure = (_version, _chunk, { localOnly }) => {
      asked.push(localOnly);
      return Promise.reject(new FakeStoreError('not-cached'));
    };
    assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code: 'source-down' });
    assert.deepEqual(asked, [true]);
    assert.equal(refreshes, 0);
  });

  it('is EIO at the deadline, and whoever fetches is told', async () => {
    const start = clock.now();
    cache.onFetch = () => new Promise(() => undefined);
    assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code: 'deadline' });
    assert.equal(clock.now() - start, 10_000);
    assert.equal(cache.inFlight, 0);
    assert.equal(refreshes, 1);
  });

  it('fails at once while the source is known to be down, but for what is in the cache', async () => {
    down = true;
    assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code: 'source-down' });
    assert.deepEqual(cache.fetched, []);
    cache.blobs.set(version.name, 9n);
    assert.deepEqual(await read(), { kind: 'local', fingerprint: 9n });
  });

  it('ends when nobody waits any more, and counts no error', async () => {
    const abort = new AbortController();
    cache.onFetch = () => {
      abort.abort();
      return new Promise(() => undefined);
    };
    assert.deepEqual(await read(abort.signal), { kind: 'error', failure: 'unavailable', code: 'aborted' });
    assert.deepEqual(reads.failures, { unavailable: 0, replaced: 0 });
    assert.equal(clock.sleeping, 0);
  });

  it('answers the kernel at once when it asks once more for what just failed, and tries again later', async () => {
    let asked = 0;
    cache.ensure = () => {
      asked += 1;
      return Promise.reject(new FakeStoreError('denied'));
    };
    const first = await read();
    assert.deepEqual(await read(), first);
    assert.equal(asked, 1);
    await clock.advance(1_000);
    await read();
    assert.equal(asked, 2);
  });

  it('ends its waiting when the source is found to be down', async () => {
    cache.ensure = (_version, _chunk, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const waiting = reads.readVersion(version, undefined, {
      deadlineMs: 10_000,
      signal: new AbortController().signal,
    });
    await clock.settle();
    reads.sourceIsDown();
    assert.deepEqual(await waiting, { kind: 'error', failure: 'unavailable', code: 'source-down' });
    assert.equal(clock.sleeping, 0);
  });

  it('never rejects, and says what nobody foresaw', async () => {
    cache.ensure = () => Promise.reject(new TypeError('a bug'));
    assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code: 'internal' });
    assert.equal(log.count('error'), 1);
    await clock.advance(1_000);
    cache.ensure = () => Promise.reject(new FakeStoreError('of-another-kind'));
    assert.deepEqual(await read(), { kind: 'error', failure: 'unavailable', code: 'of-another-kind' });
  });
});
