import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { deferred } from '../../src/base/waiting.ts';
import type { Stop } from '../../src/store/stop.ts';
import { ContentState, MARK } from '../../src/sync/content-state.ts';
import type { Located } from '../../src/sync/ports.ts';
import { type VersionCachePort, VersionContent, type VersionTarget } from '../../src/sync/version-content.ts';
import type { ContentVersion, Generation } from '../../src/tree/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { releasedTree } from '../support/released-tree.ts';

const KiB = 1024;
/** The fingerprint of a blob that an earlier process has left. */
const UNVERIFIED = 0n;

/** A cache in memory that has room for a number of bytes. */
class RoomyCache {
  readonly beside = { room: 100 * KiB, free: 100 * KiB, lost: 0 };
  readonly blobs = new Map<string, bigint>();
  readonly besides = new Map<string, number>();
  readonly fetched: string[] = [];
  readonly priorities = new Set<string>();
  readonly failures = new Map<string, string>();
  isFull = false;
  onFetch: (path: string, signal: Stop) => Promise<void> | void = () => undefined;
  inFlight = 0;
  mostInFlight = 0;

  has({ name }: ContentVersion): boolean {
    return this.blobs.has(name);
  }

  fingerprintOf(name: string): bigint | undefined {
    const fingerprint = this.blobs.get(name);
    return fingerprint === UNVERIFIED ? undefined : fingerprint;
  }

  showBeside(name: string): void {
    this.besides.set(name, (this.besides.get(name) ?? 0) + 1);
  }

  hideBeside(name: string): void {
    const trees = this.besides.get(name) ?? 0;
    assert.ok(trees > 0, `${name} is shown by nothing`);
    if (trees === 1) this.besides.delete(name);
    else this.besides.set(name, trees - 1);
  }

  evict(version: VersionTarget, path: string): void {
    this.blobs.delete(version.generation.versionName(version.generation.find(path)));
    this.beside.lost += 1;
  }

  async ensure(
    { name, path }: ContentVersion,
    _chunk: number | undefined,
    { signal, priority }: Parameters<VersionCachePort['ensure']>[2],
  ): Promise<Located> {
    signal.throwIfAborted();
    this.priorities.add(priority);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await this.onFetch(path, signal);
      signal.throwIfAborted();
      const code = this.failures.get(path);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      this.fetched.push(path);
      if (this.isFull) return { kind: 'memory', bytes: new Uint8Array() };
      this.blobs.set(name, 100n);
      return { kind: 'local', fingerprint: 100n };
    } finally {
      this.inFlight -= 1;
    }
  }
}

describe('the content of versions', () => {
  let cache: RoomyCache;
  let clock: FakeClock;
  let log: RecordingLog;
  let isBusy: boolean;
  let planned: { readonly generation: Generation; readonly wanted: number[]; isOver: boolean }[];
  let content: VersionContent;

  beforeEach(() => {
    cache = new RoomyCache();
    clock = new FakeClock();
    log = new RecordingLog();
    isBusy = false;
    planned = [];
    content = new VersionContent({
      cache,
      planner: {
        plan: (generation, wanted) => {
          const plan = { generation, wanted: [...wanted], isOver: false };
          planned.push(plan);
          return { order: wanted.toReversed(), end: () => Object.assign(plan, { isOver: true }) };
        },
      },
      concurrency: 8,
      prefetchBytes: 10 * KiB,
      isBusy: () => isBusy,
      clock,
      log,
    });
  });

  function versionOf(id: string, files: Readonly<Record<string, string>>): VersionTarget {
    const generation = releasedTree(new Map(Object.entries(files)));
    return { id, generation, content: new ContentState(generation.entries) };
  }

  function tenFiles(id: string, size = 10): VersionTarget {
    const files = Array.from(
      { length: 10 },
      (_, at) => [`${at}.py`, `${id}${at}`.padEnd(size, 'x')] as const,
    );
    return versionOf(id, Object.fromEntries(files));
  }

  test('is fetched at the first use, as a whole that was planned, in the background and by few fetches', async () => {
    const version = tenFiles('a');
    const held = deferred<void>();
    cache.onFetch = () => held.promise;
    await content.add(version);
    content.used('a');
    await clock.settle();
    assert.equal(cache.inFlight, 2);
    held.resolve();
    await clock.settle();
    assert.equal(cache.mostInFlight, 2);
    assert.equal(
      cache.fetched[0],
      version.generation.path(planned[0]?.wanted.at(-1) ?? 0),
      'in the order planned',
    );
    assert.equal(cache.fetched.length, 10);
    assert.deepEqual(
      planned.map(({ wanted, isOver }) => [wanted.length, isOver]),
      [[10, true]],
    );
    assert.deepEqual([...cache.priorities], ['background']);
    assert.deepEqual([...new Set(version.content.fingerprints)].toSorted(), [0n, 100n]);
    content.used('a');
    await clock.settle();
    assert.equal(planned.length, 1);
  });

  test('is not fetched before the version is used, nor what is there, empty or past the prefetch bound', async () => {
    const files = { '1.py': 'one', '2.py': 'two', '3.py': '', '4.py': 'x'.repeat(11 * KiB), '5.py': 'five' };
    const version = versionOf('a', files);
    const [verified, left] = [version.generation.find('2.py'), version.generation.find('5.py')];
    cache.blobs.set(version.generation.versionName(verified), 200n);
    cache.blobs.set(version.generation.versionName(left), UNVERIFIED);
    await content.add(version);
    await clock.settle();
    assert.deepEqual(cache.fetched, []);
    content.used('a');
    await clock.settle();
    assert.deepEqual(cache.fetched, ['1.py']);
    const { marks, fingerprints } = version.content;
    assert.deepEqual([marks[verified], marks[left]], [MARK.local, MARK.local]);
    assert.deepEqual([fingerprints[verified], fingerprints[left]], [200n, 0n], 'asked of none that is known');
  });

  test('waits for that of the current tree, and gives way to it', async () => {
    isBusy = true;
    await content.add(tenFiles('a'));
    content.used('a');
    await clock.advance(10_000);
    assert.deepEqual(cache.fetched, []);
    isBusy = false;
    cache.onFetch = () => {
      isBusy = cache.fetched.length >= 4;
    };
    await clock.advance(250);
    const before = cache.fetched.length;
    assert.ok(before >= 4 && before < 10, `${before}`);
    assert.deepEqual(
      planned.map(({ isOver }) => isOver),
      [true],
    );
    cache.onFetch = () => undefined;
    isBusy = false;
    await clock.advance(250);
    assert.equal(cache.fetched.length, 10);
    assert.equal(planned[1]?.wanted.length, 10 - before);
  });

  test('ends when the version is dropped, whose content is then shown by nothing', async () => {
    const [version, other] = [tenFiles('a'), tenFiles('b')];
    let aborted = 0;
    cache.onFetch = (_, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          aborted += 1;
          reject(signal.reason);
        }),
      );
    await content.add(version);
    await content.add(other);
    assert.equal(cache.besides.size, 20);
    content.used('a');
    content.used('b');
    await clock.settle();
    assert.equal(cache.inFlight, 2);
    cache.onFetch = () => undefined;
    await content.drop('a');
    await clock.settle();
    assert.deepEqual([aborted, planned[0]?.isOver], [2, true]);
    assert.deepEqual(cache.fetched.length, 10, 'of the other');
    assert.equal(cache.besides.size, 10);
    assert.deepEqual(
      log.lines.filter(({ level }) => level !== 'debug'),
      [],
    );
    content.used('a');
    await content.drop('a');
    await content.drop('b');
    assert.equal(cache.besides.size, 0);
  });

  test('of two versions counts as shown until both have gone', async () => {
    await content.add(tenFiles('a'));
    await content.add({ ...tenFiles('a'), id: 'the same' });
    await content.drop('a');
    assert.equal(cache.besides.size, 10);
    await content.drop('the same');
    assert.equal(cache.besides.size, 0);
  });

  test('that is larger than the room in the cache is fetched as far as there is room', async () => {
    cache.beside.room = 5 * KiB + 1;
    await content.add(tenFiles('a', KiB));
    content.used('a');
    await clock.settle();
    assert.equal(cache.fetched.length, 5);
    assert.deepEqual(
      planned.map(({ wanted }) => wanted.length),
      [5],
    );
  });

  test('that was evicted is fetched again at the next use, as a whole that was planned', async () => {
    const version = tenFiles('a');
    await content.add(version);
    content.used('a');
    await clock.settle();
    cache.fetched.length = 0;
    content.used('a');
    await clock.settle();
    assert.deepEqual(cache.fetched, []);
    for (const path of ['2.py', '5.py', '7.py']) cache.evict(version, path);
    content.used('a');
    await clock.settle();
    assert.deepEqual(cache.fetched.toSorted(), ['2.py', '5.py', '7.py']);
    assert.deepEqual(
      planned.map(({ wanted }) => wanted.length),
      [10, 3],
    );
    assert.deepEqual([...new Set(version.content.fingerprints)].toSorted(), [0n, 100n]);
  });

  test('of two versions that do not fit together does not take turns in the cache', async () => {
    const [one, other] = [tenFiles('a', KiB), tenFiles('b', KiB)];
    await content.add(one);
    await content.add(other);
    content.used('a');
    await clock.settle();
    content.used('b');
    await clock.settle();
    // The second version has evicted some files of the first, and no room is free.
    for (const path of ['1.py', '2.py', '3.py', '4.py']) cache.evict(one, path);
    cache.beside.free = 0;
    cache.fetched.length = 0;
    for (let use = 0; use < 3; use++) {
      content.used('a');
      content.used('b');
      await clock.settle();
    }
    assert.deepEqual(cache.fetched, []);
    assert.equal(one.content.marks[one.generation.find('1.py')], MARK.unknown, 'its readers ask for it');
    cache.beside.free = 2 * KiB;
    cache.beside.lost += 1;
    content.used('a');
    await clock.settle();
    assert.equal(cache.fetched.length, 2);
  });

  test('that the disk does not take is not asked for again and again', async () => {
    cache.isFull = true;
    await content.add(tenFiles('a'));
    content.used('a');
    await clock.settle();
    assert.ok(cache.fetched.length <= 2, cache.fetched.join());
    content.used('a');
    await clock.settle();
    assert.ok(cache.fetched.length <= 2, cache.fetched.join());
  });

  test('that a pack should have which is gone leaves the rest; a store in trouble is asked again at the next use', async () => {
    cache.failures.set('5.py', 'missing-pack');
    await content.add(tenFiles('a'));
    content.used('a');
    await clock.settle();
    assert.equal(cache.fetched.length, 9);
    cache.fetched.length = 0;
    for (let at = 0; at < 10; at++) cache.failures.set(`${at}.py`, 'unreachable');
    await content.add(tenFiles('b'));
    content.used('b');
    await clock.settle();
    assert.deepEqual(cache.fetched, []);
    const [line] = log.lines.filter(({ level }) => level !== 'debug');
    assert.deepEqual([line?.event, line?.fields.code], ['version-fetch-failed', 'unreachable']);
    cache.failures.clear();
    content.used('b');
    await clock.settle();
    assert.equal(cache.fetched.length, 10);
  });

  test('is not fetched any more when the server stops', async () => {
    cache.onFetch = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await content.add(tenFiles('a'));
    content.used('a');
    await clock.settle();
    await content.stop();
    assert.equal(cache.inFlight, 0);
    assert.deepEqual(cache.fetched, []);
  });
});
