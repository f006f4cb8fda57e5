import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Yielder } from '../../src/base/yielder.ts';
import type { Built } from '../../src/source/source.ts';
import { ChangeLog, type PathDifferences } from '../../src/sync/change-log.ts';
import { NO_CHANGES, packChanges } from '../../src/sync/changed-paths.ts';
import { compareGenerations } from '../../src/sync/compare-generations.ts';
import type { HistoryEntry } from '../../src/sync/history.ts';
import type { Generation } from '../../src/tree/index.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

type Contents = Readonly<Record<string, string>>;

/** Publishes these contents one after another; returns the trees, the log of their changes, and their history. */
async function published(all: readonly Contents[]) {
  const source = new FakeSource(() => 0);
  const trees: Generation[] = [];
  const history: HistoryEntry[] = [];
  let log = ChangeLog.empty;
  let before: Built | undefined;
  for (const [at, contents] of all.entries()) {
    source.objects.clear();
    for (const [key, content] of Object.entries(contents)) {
      source.objects.set(key, { content, etag: `etag of ${content}`, archived: false });
    }
    const built: Built = await treeOf(source, before);
    const { generation, changes } = built;
    const packed =
      before === undefined || changes === undefined
        ? undefined
        : await packChanges(before.generation, generation, changes, new Yielder());
    if (packed !== undefined) log = log.with(at + 1, packed);
    const { added, changed, removed } = packed ?? NO_CHANGES;
    history.push({
      id: generation.id,
      number: at + 1,
      publishedAt: at,
      files: generation.files,
      added,
      changed,
      removed,
    });
    trees.push(generation);
    before = built;
  }
  return { trees, history, log };
}

/** Files with their version, and empty directories with a slash. */
function leaves(generation: Generation): Map<string, string> {
  const found = new Map<string, string>();
  for (let index = 1; index < generation.entries; index++) {
    if (!generation.isDirectory(index)) found.set(generation.path(index), generation.versionName(index));
    else if (generation.childrenStart(index) === generation.childrenEnd(index)) {
      found.set(`${generation.path(index)}/`, '');
    }
  }
  return found;
}

function expected(older: Generation, newer: Generation): PathDifferences {
  const before = leaves(older);
  const after = leaves(newer);
  return {
    added: [...after.keys()].filter((path) => !before.has(path)).sort(),
    changed: [...after.keys()]
      .filter((path) => before.has(path) && before.get(path) !== after.get(path))
      .sort(),
    removed: [...before.keys()].filter((path) => !after.has(path)).sort(),
  };
}

const contents = fc.dictionary(
  fc.constantFrom('a', 'a/b', 'a/b/c', 'd/', 'd/x', 'd/e/', 'f/', 'g.py', 'ü/ñ.py', 'h/i/j.py'),
  fc.constantFrom('', 'one', 'two'),
);

function numbersBetween(low: number, high: number): number[] {
  return Array.from({ length: high - low }, (_, at) => low + at + 2);
}

describe('the log of changes', () => {
  it('tells what differs between any two publications, whatever lay between them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(contents, { minLength: 2, maxLength: 5 }), async (all) => {
        const { trees, log } = await published(all);
        for (let low = 0; low < trees.length; low++) {
          for (let high = low + 1; high < trees.length; high++) {
            assert.deepEqual(await log.sum(numbersBetween(low, high)), expected(trees[low]!, trees[high]!));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('counts what the list of paths holds', async () => {
    const { log } = await published([
      { 'a.py': 'x', 'b/c.py': 'x' },
      { 'a.py': 'y', 'd/e.py': '', 'd/f.py': '' },
    ]);
    const [{ added, changed, removed }] = log.entries as [(typeof log.entries)[0]];
    assert.deepEqual({ added, changed, removed }, { added: 2, changed: 1, removed: 1 });
    const sum = await log.sum([2]);
    assert.deepEqual(sum, { added: ['d/e.py', 'd/f.py'], changed: ['a.py'], removed: ['b/c.py'] });
  });

  it('shows a file that became a directory under both names', async () => {
    const { log } = await published([{ thing: 'file' }, { 'thing/x.py': '' }, { 'thing/': '' }]);
    assert.deepEqual(await log.sum([2]), { added: ['thing/x.py'], changed: [], removed: ['thing'] });
    assert.deepEqual(await log.sum([3]), { added: ['thing/'], changed: [], removed: ['thing/x.py'] });
    assert.deepEqual(await log.sum([2, 3]), { added: ['thing/'], changed: [], removed: ['thing'] });
  });

  it('is the same after a way over the disk', async () => {
    const { log } = await published([{ a: '1' }, { b: '1' }, { b: '2', c: '' }]);
    const larger = log.with(9, { ...NO_CHANGES, added: 4, packed: undefined });
    const read = ChangeLog.decode(larger.encode());
    assert.deepEqual(
      read?.entries.map(({ packed, ...rest }) => [rest, packed && Buffer.from(packed).toString('hex')]),
      larger.entries.map(({ packed, ...rest }) => [rest, packed && Buffer.from(packed).toString('hex')]),
    );
    assert.deepEqual(await read?.sum([2, 3]), await log.sum([2, 3]));
  });

  it('reads nothing out of bytes that are cut off, or of another format', async () => {
    const { log } = await published([{ a: '1' }, { b: '1' }]);
    const bytes = log.encode();
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(ChangeLog.decode(bytes.subarray(0, length)), undefined);
    }
    const other = bytes.slice();
    other[8] = 99;
    assert.equal(ChangeLog.decode(other), undefined);
  });

  it('says that it does not know where the packed paths are damaged', async () => {
    const { log } = await published([{ a: '1' }, { b: '1' }]);
    const [entry] = log.entries;
    const damaged = ChangeLog.empty.with(2, { ...entry!, packed: entry!.packed!.map((byte) => byte ^ 0xff) });
    assert.equal(await damaged.sum([2]), undefined);
  });

  it('drops the oldest where they are too many or too large', () => {
    let log = ChangeLog.empty;
    for (let number = 1; number <= 60; number++) log = log.with(number, NO_CHANGES);
    assert.deepEqual([log.entries.length, log.entries[0]?.number], [50, 11]);
    const large = { ...NO_CHANGES, packed: new Uint8Array(3 * 1024 * 1024), rawBytes: 1 };
    for (let number = 61; number <= 64; number++) log = log.with(number, large);
    assert.deepEqual(
      log.entries.map(({ number }) => number),
      [63, 64],
    );
  });
});

describe('two generations', () => {
  it('are compared in either order', async () => {
    const { trees, history, log } = await published([{ a: '1' }, { a: '2', b: '' }, { b: '' }]);
    const [first, second, third] = trees.map(({ id }) => id) as [string, string, string];
    assert.deepEqual(await compareGenerations(history, log, first, third), {
      from: first,
      to: third,
      added: ['b'],
      changed: [],
      removed: ['a'],
    });
    const back = await compareGenerations(history, log, third, first);
    assert.deepEqual([back?.added, back?.changed, back?.removed], [['a'], [], ['b']]);
    const before = await compareGenerations(history, log, undefined, second);
    assert.deepEqual([before?.from, before?.added, before?.changed], [first, ['b'], ['a']]);
  });

  it('with one id do not differ, however far apart they were shown', async () => {
    const { trees, history, log } = await published([{ a: '1' }, { a: '2' }, { a: '1' }, { a: '3' }]);
    const id = trees[0]!.id;
    assert.equal(trees[2]!.id, id);
    assert.deepEqual((await compareGenerations(history, log, id, id))?.changed, []);
    const found = await compareGenerations(history, log, id, trees[3]!.id);
    assert.deepEqual(found?.changed, ['a']);
  });

  it('that are no longer kept cannot be compared', async () => {
    const { trees, history, log } = await published([{ a: '1' }, { a: '2' }, { a: '3' }]);
    const [first, second, third] = trees.map(({ id }) => id) as [string, string, string];
    assert.equal(await compareGenerations(history.slice(1), log, first, third), undefined);
    assert.equal(await compareGenerations(history, log, 'f'.repeat(32), third), undefined);
    assert.equal(await compareGenerations(history, log, undefined, first), undefined);
    assert.equal(await compareGenerations(history, ChangeLog.empty, second, third), undefined);
  });
});
