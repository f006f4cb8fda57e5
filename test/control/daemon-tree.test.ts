import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod/mini';
import type { CacheInspection } from '../../src/cache/inspection.ts';
import { type Entry, entryShape } from '../../src/control/shapes/entries.ts';
import { versionOffset } from '../../src/session/trees/node-ranges.ts';
import { columnsOf } from '../../src/source/release/manifest-columns.ts';
import type { ReleaseStep } from '../../src/source/release-step.ts';
import { ContentState } from '../../src/sync/content-state.ts';
import type { Shown } from '../../src/sync/shown.ts';
import type { SyncView } from '../../src/sync/sync-view.ts';
import { buildGeneration, type Generation, PathFilter } from '../../src/tree/index.ts';
import { DaemonTree, type TreeObserved } from '../../src/views/tree.ts';
import { releasedTree } from '../support/released-tree.ts';
import { build } from '../tree/arbitraries.ts';
import type { TestObject } from '../tree/listings.ts';

const inspection = {
  localBytes: ({ size }: { readonly size: number }) => size,
  checksum: async () => 'a'.repeat(64),
} as unknown as CacheInspection;

function treeOf(
  objects: readonly TestObject[],
  changes: Partial<TreeObserved> & { readonly heldTree?: Generation } = {},
  filter = PathFilter.compile({ include: [], exclude: [] }),
  release?: ReleaseStep,
): DaemonTree {
  const { generation, problems } = build(objects, { filter });
  const shown: Shown = {
    generation,
    content: new ContentState(generation.entries),
    bound: { bytes: 0, neededBytes: 0, fits: true },
    digest: undefined,
    problems,
    publishedAt: 0,
    release,
  };
  const items = problems.map((problem) => ({ ...problem, key: `p/${problem.key}` }));
  return new DaemonTree({
    sync: {
      shown,
      view: { history: [], held: undefined } as unknown as SyncView,
      changes: async () => undefined,
      heldTree: changes.heldTree,
      removalOf: async () => undefined,
      replacedNodeIds: () => [],
    },
    cache: { inspection },
    prefix: 'p/',
    filter,
    problems: () => items.sort((one, other) => (one.key < other.key ? -1 : 1)),
    versionIdOf: () => undefined,
    isPinned: () => false,
    ...changes,
  });
}

const { signal } = new AbortController();

const exampleStep: ReleaseStep = {
  ref: 'production',
  sequence: 1,
  id: `sha256-${'0'.repeat(64)}`,
  author: 'zoe',
  message: 'first',
  commit: undefined,
  url: undefined,
  created: 0,
  signedBy: [],
  allowsDeletions: false,
};

describe('the tree at the control socket', () => {
  test('has no ETag of a file where the listing has none', async () => {
    const tree = treeOf([
      { key: 'a', etag: '' },
      { key: 'b', etag: 'e' },
    ]);
    const etags = [];
    for (const path of ['a', 'b']) {
      const entry = (await tree.entry(path, signal)) ?? {};
      etags.push('etag' in entry ? entry.etag : entry);
    }
    assert.deepEqual(etags, [null, 'e']);
  });

  test('pages give every path once, whatever the size of a page and what a path begins with', async () => {
    const objects = ['a/b', 'a.py', 'a/c/d', 'b', 'é', 'a-', 'a/c.py'].map((key) => ({ key }));
    const tree = treeOf(objects);
    const all = ['a', 'a-', 'a.py', 'a/b', 'a/c', 'a/c.py', 'a/c/d', 'b', 'é'];
    for (const prefix of ['', 'a', 'a/', 'a/c', 'é', 'none', 'a/c/d']) {
      for (const limit of [1, 2, 3, 100]) {
        const seen: string[] = [];
        for (let after: string | undefined, pages = 0; pages < 20; pages++) {
          const page = await tree.page(prefix, after, limit);
          seen.push(...Array.from(page?.items ?? [], ({ path }) => path));
          if (page?.next === null || page === undefined) break;
          after = page.next;
        }
        assert.deepEqual(
          seen,
          all.filter((path) => path.startsWith(prefix)),
          `${prefix} by ${limit}`,
        );
      }
    }
    const page = await tree.page('', 'a.zzz', 2);
    assert.deepEqual(
      Array.from(page?.items ?? [], ({ path }) => path),
      ['a/b', 'a/c'],
    );
    const before = await tree.page('b', 'a', 2);
    assert.deepEqual(
      Array.from(before?.items ?? [], ({ path }) => path),
      ['b'],
    );
    const behind = await tree.page('a/', 'z', 2);
    assert.deepEqual([Array.from(behind?.items ?? []), behind?.next], [[], null]);
  });

  test('an entry has the shape that is promised, file and directory', async () => {
    const tree = treeOf([{ key: 'a/b', lastModified: 1_700_000_000_000 }]);
    for (const [path, kind, key] of [
      ['a/b', 'file', 'p/a/b'],
      ['a', 'directory', 'p/a/'],
      ['a/', 'directory', 'p/a/'],
    ] as const) {
      const entry = z.parse(entryShape, await tree.entry(path, signal));
      assert.deepEqual([entry.kind, entry.key], [kind, key]);
    }
  });

  test('what is not there is told apart: left out, excluded, held, or never seen', async () => {
    const filter = PathFilter.compile({ include: ['*.py', 'x/**'], exclude: ['old/', '*.tmp.py'] });
    const objects = [
      { key: 'a.py' },
      { key: 'x//y.py' },
      { key: 'x/n\0l.py' },
      { key: Buffer.from('x/caf\xe9.py', 'latin1') },
      { key: 'x/m/', size: 3 },
      { key: 'x/s' },
      { key: 'x/s/t.py' },
    ];
    const { generation: heldTree } = build([{ key: 'new/b.py' }]);
    const tree = treeOf(objects, { heldTree }, filter);
    const codes: (readonly [path: string, code: string, said: RegExp])[] = [
      ['x//y.py', 'left-out', /empty-component/],
      ['x/n\0l.py', 'left-out', /nul/],
      ['x/caf\\xE9.py', 'left-out', /not-utf8/],
      ['x/m/', 'left-out', /trailing-slash/],
      ['x/m', 'left-out', /trailing-slash/],
      ['old/z.py', 'excluded', /--exclude "old\/" matches/],
      ['a.tmp.py', 'excluded', /--exclude "\*\.tmp\.py" matches/],
      ['readme.md', 'excluded', /no --include matches/],
      ['new/b.py', 'held', /held/],
      ['new/c.py', 'never-seen', /No listing/],
      ['a.py/', 'never-seen', /No listing/],
    ];
    for (const [path, code, said] of codes) {
      const found = await tree.entry(path, signal);
      assert.ok(found !== undefined && 'code' in found, path);
      assert.equal(found.code, code, path);
      assert.match(found.detail, said, path);
    }
    const shadowing = z.parse(entryShape, await tree.entry('x/s', signal));
    assert.deepEqual(
      [shadowing.kind, shadowing.problems.map(({ reason }) => reason)],
      ['directory', ['shadowed']],
    );
  });

  test('what a release does not have is looked for in the release, not in the bucket', async () => {
    const tree = treeOf([{ key: 'a.py' }], {}, undefined, exampleStep);
    const found = await tree.entry('b.py', signal);
    assert.ok(found !== undefined && 'code' in found);
    assert.match(found.detail, /^No release/);
    assert.match(found.hint, /dagmount release show production/);
  });

  test('100,000 entries are paged, each once, without a pause of the loop', async () => {
    const objects = Array.from({ length: 100_000 }, (_, at) => ({ key: `d${at % 100}/f${at}.py` }));
    const tree = treeOf(objects);
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    });
    const seen = new Set<string>();
    for (let after: string | undefined; ; ) {
      const page = await tree.page('', after, 10_000);
      for (const { path } of page?.items ?? []) seen.add(path);
      if (page === undefined || page.next === null) break;
      after = page.next;
    }
    clearInterval(turning);
    assert.equal(seen.size, 100_100);
    assert.ok(turns > 0);
  });

  test('names the pack that has the content of a file of a release, and where in it; what has no content has no key', async () => {
    const pack = 'ab'.repeat(32);
    const files = [
      { path: 'a.py', size: 3, sha256: 'cd'.repeat(32), executable: false, place: { pack, offset: 7 } },
      { path: 'pkg/__init__.py', size: 0, sha256: 'ef'.repeat(32), executable: false, place: undefined },
    ];
    const { generation } = await buildGeneration({
      objects: columnsOf({ id: exampleStep.id, files }, 0),
      filter: PathFilter.compile({ include: [], exclude: [] }),
      salt: 7n,
      now: 0,
      previous: undefined,
      removedDirectories: new Map(),
      nextNodeId: 2,
    });
    const sync = observedOf(generation, exampleStep);
    const tree = treeOf([], { sync });
    for (const [path, key, range] of [
      ['a.py', `p/packs/${pack}`, { offset: 7, bytes: 3 }],
      ['pkg/__init__.py', null, undefined],
      ['pkg', null, undefined],
    ] as const) {
      const entry = (await tree.entry(path, signal)) as Entry;
      assert.deepEqual([entry.key, entry.range], [key, range], path);
      assert.deepEqual(entryShape.parse(entry), entry);
    }
    const { sequence: seq, id, author, message } = exampleStep;
    assert.deepEqual((await tree.page('', undefined, 10))?.release, { seq, id, author, message });
  });

  test('has no key of an empty file and a directory of a release, which no object has', async () => {
    const generation = releasedTree(new Map([['a/empty.py', '']]));
    const sync = {
      ...observedOf(generation),
      shown: { ...observedOf(generation).shown, release: exampleStep },
    };
    for (const path of ['a', 'a/empty.py']) {
      const entry = (await treeOf([], { sync }).entry(path, signal)) as Entry;
      assert.equal(entry.key, null, path);
      assert.deepEqual(entryShape.parse(entry), entry);
    }
  });

  test('has the entries of a version that is shown, with the inode numbers of the mount, beside its own', async () => {
    const id = `sha256-${'1'.repeat(64)}`;
    const generation = releasedTree(new Map([['d/a.py', 'one']]));
    const version = { id, generation, content: new ContentState(generation.entries), served: { slot: 3 } };
    const tree = treeOf([{ key: 'd/a.py' }, { key: 'd/b.py' }], {
      versions: { version: (asked) => (asked === id ? version : undefined) },
      isPinned: () => true,
    });
    assert.notEqual(tree.id(), tree.id(id));
    const page = await tree.page('', undefined, 10, id);
    assert.deepEqual(
      Array.from(page?.items ?? [], ({ path }) => path),
      ['d', 'd/a.py'],
    );
    const entry = (await tree.entry('d/a.py', signal, id)) as Entry;
    assert.deepEqual(entryShape.parse(entry), entry);
    const nodeId = versionOffset(3) + generation.nodeId(generation.find('d/a.py'));
    assert.deepEqual(
      [entry.version, entry.pinned, entry.nodeIds, entry.firstVisible.generation],
      [id, false, { current: nodeId, replaced: [] }, null],
    );
    const absent = (await tree.entry('d/b.py', signal, id)) as { readonly code: string };
    assert.equal(absent.code, 'never-seen');
    const current = (await tree.entry('d/b.py', signal)) as Entry;
    assert.equal(current.version, undefined);
    const other = `sha256-${'2'.repeat(64)}`;
    assert.throws(() => tree.id(other), { code: 'no-version' });
    await assert.rejects(tree.entry('d/a.py', signal, other), { code: 'no-version' });
  });
});

function observedOf(generation: Generation, release?: Shown['release']) {
  const shown: Shown = {
    generation,
    content: new ContentState(generation.entries),
    bound: { bytes: 0, neededBytes: 0, fits: true },
    digest: undefined,
    problems: [],
    publishedAt: 0,
    release,
  };
  return {
    shown,
    view: { history: [], held: undefined } as unknown as SyncView,
    changes: async () => undefined,
    heldTree: undefined,
    removalOf: async () => undefined,
    replacedNodeIds: () => [],
  };
}
