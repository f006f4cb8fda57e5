import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { deferred } from '../../src/base/waiting.ts';
import { LoadedVersions, MOST_VERSIONS, type VersionMeans } from '../../src/server/loaded-versions.ts';
import type { ReleaseStep } from '../../src/source/release-step.ts';
import type { FoundVersion } from '../../src/source/version-source.ts';
import type { KeptVersion } from '../../src/state/version-directory.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { buildGeneration, Generation, PathFilter } from '../../src/tree/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { releasedTree } from '../support/released-tree.ts';

const SALT = 7n;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const never = new AbortController().signal;

function idOf(number: number): string {
  return `sha256-${number.toString(16).padStart(64, '0')}`;
}

function stepOf(id: string, created: number): ReleaseStep {
  const words = { author: 'a', message: 'm', commit: undefined, url: undefined };
  const release = { ref: 'production', sequence: 1, id, created, signedBy: [], allowsDeletions: false };
  return { ...release, ...words };
}

function emptyTree(): Generation {
  return buildGeneration({
    objects: {
      count: 0,
      keys: new Uint8Array(),
      keyEnds: new Uint32Array(),
      sizes: new Float64Array(),
      lastModified: new Float64Array(),
      etags: new Uint8Array(),
      etagEnds: new Uint32Array(),
      archived: new Uint8Array(),
    },
    filter: PathFilter.compile({ include: [], exclude: [] }),
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    salt: SALT,
    now: 0,
  }).generation;
}

describe('the versions beside the current tree', () => {
  let clock: FakeClock;
  let log: RecordingLog;
  let asked: string[];
  let written: string[];
  let removed: string[];
  /** The versions that a successor would find. */
  let files: Set<string>;
  let held: Set<string>;
  let isWritten: Promise<void>;
  let isDropped: Promise<void>;
  let content: string[];
  let answer: (id: string, signal: AbortSignal) => Promise<FoundVersion>;
  let shown: ReturnType<VersionMeans['shown']>;

  beforeEach(() => {
    clock = new FakeClock();
    log = new RecordingLog();
    asked = [];
    written = [];
    removed = [];
    files = new Set();
    held = new Set();
    isWritten = Promise.resolve();
    isDropped = Promise.resolve();
    content = [];
    shown = undefined;
    answer = () => Promise.resolve({ kind: 'found', generation: emptyTree() });
  });

  function loadedVersions(kept: readonly KeptVersion[] = [], keep = 5): LoadedVersions {
    // Changes run one after another, as in VersionDirectory.
    let changing = Promise.resolve();
    const change = (work: () => void | Promise<void>): Promise<void> => {
      changing = changing.then(work);
      return changing;
    };
    const loaded = new LoadedVersions({
      directory: {
        write: (id) =>
          change(async () => {
            await isWritten;
            written.push(id);
            files.add(id);
          }),
        used: () => Promise.resolve(),
        remove: (id) =>
          change(() => {
            removed.push(id);
            files.delete(id);
          }),
      },
      kept,
      madeAt: 1_500,
      salt: SALT,
      keep,
      idleMs: 6 * HOUR,
      deadlineMs: 10_000,
      session: { dropVersion: (id) => Promise.resolve(!held.has(id)) },
      clock,
      log,
    });
    void loaded.open({
      source: {
        findVersion: (id, { signal }) => {
          asked.push(id);
          return answer(id, signal);
        },
      },
      shown: () => shown,
      content: {
        add: ({ id }) => Promise.resolve(void content.push(`add ${id}`)),
        used: (id) => void content.push(`used ${id}`),
        drop: (id) => isDropped.then(() => void content.push(`drop ${id}`)),
      },
    });
    return loaded;
  }

  test('are asked for once, and are on the disk before the session knows of them', async () => {
    const loaded = loadedVersions();
    const before = loaded.served.changedAt;
    const found = await loaded.find(idOf(1), 1000, never);
    assert.ok(found.kind === 'found');
    assert.deepEqual(written, [idOf(1)]);
    assert.equal(found.version.id, idOf(1));
    assert.notDeepEqual(found.changedAt, before);
    assert.equal((await loaded.find(idOf(1), 1000, never)).kind, 'found');
    assert.deepEqual(asked, [idOf(1)]);
    assert.deepEqual(loaded.served.madeAt, { seconds: 1, nanoseconds: 500_000_000 });
  });

  test('that never were are remembered nowhere', async () => {
    const loaded = loadedVersions();
    answer = () => Promise.resolve({ kind: 'absent' });
    for (let number = 0; number < 1_000; number++)
      assert.deepEqual(await loaded.find(idOf(number), 1000, never), { kind: 'absent' });
    assert.equal(loaded.size, 0);
    assert.deepEqual([written, log.lines], [[], []]);
  });

  test('have their content fetched at each use, and let go of with them', async () => {
    const loaded = loadedVersions([{ id: idOf(1), generation: emptyTree(), lastUsed: clock.now() }], 0);
    assert.deepEqual(content, [`add ${idOf(1)}`]);
    loaded.used(idOf(1));
    await loaded.find(idOf(2), 0, never);
    assert.deepEqual(content.splice(1), [`used ${idOf(1)}`, `add ${idOf(2)}`, `used ${idOf(2)}`]);
    await clock.advance(7 * HOUR);
    held.add(idOf(2));
    await loaded.dropIdle();
    assert.deepEqual(content.splice(1), [`drop ${idOf(1)}`]);
    assert.equal(loaded.version(idOf(1)), undefined);
    assert.equal(loaded.version(idOf(2))?.id, idOf(2));
  });

  test('have each look-up counted by how it ended, and those that wait', async () => {
    const loaded = loadedVersions();
    await loaded.find(idOf(1), 0, never);
    answer = () => Promise.resolve({ kind: 'absent' });
    await loaded.find(idOf(2), 0, never);
    answer = () => Promise.reject(new StoreError('unreachable', 'no route', 'Wait.', true));
    await loaded.find(idOf(2), 0, never);
    answer = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const reader = new AbortController();
    const abandoned = loaded.find(idOf(3), 0, reader.signal);
    await clock.settle();
    assert.equal(loaded.waiting, 1);
    reader.abort();
    await abandoned;
    assert.equal(loaded.waiting, 0);
    assert.deepEqual(loaded.lookups, {
      found: 1,
      absent: 1,
      held: 0,
      refused: 0,
      unavailable: 1,
      abandoned: 1,
    });
  });

  test('that an earlier process kept are there at once', async () => {
    const loaded = loadedVersions([{ id: idOf(1), generation: emptyTree(), lastUsed: clock.now() }]);
    assert.deepEqual(
      loaded.served.versions.map(({ id }) => id),
      [idOf(1)],
    );
    assert.equal((await loaded.find(idOf(1), 1000, never)).kind, 'found');
    assert.deepEqual(asked, []);
  });

  test('lie where a successor that knows nothing of them puts them', async () => {
    const [one, other] = [
      await loadedVersions().find(idOf(1), 0, never),
      await loadedVersions().find(idOf(1), 0, never),
    ];
    assert.ok(one.kind === 'found' && other.kind === 'found');
    assert.equal(one.version.slot, other.version.slot);
  });

  test('are not waited for beyond the deadline, and the log says so once', async () => {
    const loaded = loadedVersions();
    answer = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    for (let number = 0; number < 2; number++) {
      const found = loaded.find(idOf(number), 1000, never);
      await clock.advance(10_000);
      assert.deepEqual(await found, { kind: 'unavailable' });
    }
    assert.deepEqual(
      log.lines.map(({ level, event, fields }) => [level, event, fields.code]),
      [
        ['warn', 'version-unavailable', 'deadline'],
        ['debug', 'version-unavailable', 'deadline'],
      ],
    );
  });

  test('that hang for one user leave another user a turn', async () => {
    const loaded = loadedVersions();
    const hanging = deferred<FoundVersion>();
    answer = (id) => (id === idOf(9_999) ? Promise.resolve({ kind: 'absent' }) : hanging.promise);
    const many = Array.from({ length: 200 }, (_, number) => loaded.find(idOf(number), 1000, never));
    assert.deepEqual(await loaded.find(idOf(9_999), 1001, never), { kind: 'absent' });
    assert.ok(asked.length <= 4, `${asked.length} were asked for at a time`);
    hanging.resolve({ kind: 'absent' });
    assert.equal((await Promise.all(many)).filter(({ kind }) => kind === 'absent').length, 200);
  });

  test('are not there where the store is in trouble, or what it has is not believed', async () => {
    const loaded = loadedVersions();
    answer = () => Promise.reject(new StoreError('unreachable', 'no route', 'Wait.', true));
    assert.deepEqual(await loaded.find(idOf(1), 0, never), { kind: 'unavailable' });
    const hold = {
      reason: 'signature',
      detail: 'nobody',
      hint: 'Sign.',
      step: undefined,
      acceptable: false,
    } as const;
    answer = () => Promise.resolve({ kind: 'held', hold });
    assert.deepEqual(await loaded.find(idOf(1), 0, never), { kind: 'unavailable' });
    assert.deepEqual(
      log.lines.map(({ event, fields }) => [event, fields.code ?? fields.reason]),
      [
        ['version-unavailable', 'unreachable'],
        ['version-held', 'signature'],
      ],
    );
  });

  test('leave when they were not used for long, unless they are the ones used last or the kernel holds them', async () => {
    const loaded = loadedVersions([], 1);
    for (const number of [1, 2, 3, 4]) {
      await loaded.find(idOf(number), 0, never);
      await clock.advance(MINUTE);
    }
    await clock.advance(6 * HOUR);
    loaded.used(idOf(2));
    held.add(idOf(3));
    await loaded.dropIdle();
    assert.deepEqual(removed.toSorted(), [idOf(1), idOf(4)]);
    assert.equal(loaded.size, 2);
  });

  test('are bounded: one that nobody uses makes room, and where all are used another one is refused', async () => {
    const loaded = loadedVersions();
    for (let number = 0; number < MOST_VERSIONS; number++) {
      await loaded.find(idOf(number), 0, never);
      await clock.advance(1);
    }
    assert.equal((await loaded.find(idOf(MOST_VERSIONS), 0, never)).kind, 'found');
    assert.deepEqual(removed, [idOf(0)]);
    for (let number = 0; number <= MOST_VERSIONS; number++) held.add(idOf(number));
    assert.deepEqual(await loaded.find(idOf(1_000), 0, never), { kind: 'unavailable' });
    assert.equal(loaded.size, MOST_VERSIONS);
    assert.equal(log.lines.at(-1)?.event, 'version-refused');
  });

  test('stay within the bound when several are looked up at once', async () => {
    const loaded = loadedVersions();
    for (let number = 1; number < MOST_VERSIONS; number++) {
      await loaded.find(idOf(number), 0, never);
      held.add(idOf(number));
    }
    const together = [101, 102, 103, 104].map(idOf);
    for (const id of together) held.add(id);
    const answers = await Promise.all(together.map((id) => loaded.find(id, 0, never)));
    assert.deepEqual(answers.map(({ kind }) => kind).toSorted(), [
      'found',
      'unavailable',
      'unavailable',
      'unavailable',
    ]);
    assert.equal(loaded.size, MOST_VERSIONS);
  });

  test('are found without a request if the current tree shows them, also while the store is down', async () => {
    const loaded = loadedVersions();
    answer = () => Promise.reject(new StoreError('unreachable', 'no route', 'Wait.', true));
    const generation = releasedTree(new Map([['a.py', 'one']]));
    shown = { generation, release: stepOf(idOf(1), 500_000) };
    const found = await loaded.find(idOf(1), 0, never);
    assert.ok(found.kind === 'found');
    const version = Generation.view(found.version.generation);
    assert.equal(version.mtimeSeconds(version.find('a.py')), 500);
    assert.deepEqual([asked, written], [[], [idOf(1)]]);
    shown = { generation, release: stepOf(idOf(2), 600_000) };
    assert.equal((await loaded.find(idOf(1), 0, never)).kind, 'found', 'after the next release too');
    assert.equal((await loaded.find(idOf(3), 0, never)).kind, 'unavailable');
    assert.deepEqual(asked, [idOf(3)]);
  });

  test('that were written for nobody any more are removed again', async () => {
    const loaded = loadedVersions();
    const writing = deferred<void>();
    isWritten = writing.promise;
    const reader = new AbortController();
    const finding = loaded.find(idOf(1), 0, reader.signal);
    await clock.settle();
    reader.abort();
    assert.deepEqual(await finding, { kind: 'unavailable' });
    writing.resolve();
    await clock.settle();
    assert.deepEqual([written, removed, loaded.size], [[idOf(1)], [idOf(1)], 0]);
    assert.equal((await loaded.find(idOf(1), 0, never)).kind, 'found');
  });

  test('that another look-up shows stay on the disk, though an abandoned one wrote them first', async () => {
    const loaded = loadedVersions();
    const writing = deferred<void>();
    isWritten = writing.promise;
    const reader = new AbortController();
    const abandoned = loaded.find(idOf(1), 0, reader.signal);
    await clock.settle();
    reader.abort();
    assert.deepEqual(await abandoned, { kind: 'unavailable' });
    const finding = loaded.find(idOf(1), 0, never);
    await clock.settle();
    writing.resolve();
    assert.equal((await finding).kind, 'found');
    await clock.settle();
    assert.deepEqual([...files], [idOf(1)]);
  });

  test('that are looked up again while they are dropped stay on the disk', async () => {
    const loaded = loadedVersions([], 0);
    await loaded.find(idOf(1), 0, never);
    await clock.advance(7 * HOUR);
    const dropping = deferred<void>();
    isDropped = dropping.promise;
    const dropped = loaded.dropIdle();
    await clock.settle();
    assert.equal(loaded.size, 0);
    assert.equal((await loaded.find(idOf(1), 0, never)).kind, 'found');
    dropping.resolve();
    await dropped;
    assert.deepEqual([removed, [...files]], [[idOf(1)], [idOf(1)]]);
  });
});
