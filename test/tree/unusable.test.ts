import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildGeneration } from '../../src/tree/build.ts';
import { digestListing } from '../../src/tree/digest.ts';
import { PathFilter } from '../../src/tree/filter.ts';
import type { Generation } from '../../src/tree/generation.ts';
import { listingOf, type TestObject } from './listings.ts';

const NOW = 1_750_000_000_000;

function build(objects: readonly TestObject[], previous?: Generation, adopted = {}) {
  const built = buildGeneration({
    objects: listingOf(objects),
    filter: PathFilter.compile({ include: [], exclude: ['hidden/'] }),
    previous,
    removedDirectories: new Map(),
    nextNodeId: previous === undefined ? 2 : 2 + Math.max(...nodeIds(previous)),
    salt: 7n,
    now: NOW,
    adopted: new Map(Object.entries(adopted)),
  });
  const { generation, problems } = built;
  const files = Array.from({ length: generation.entries }, (_, i) => i)
    .filter((i) => !generation.isDirectory(i))
    .map((i) => `${generation.path(i)} ${generation.etag(i)} ${generation.size(i)}`);
  return { ...built, files: files.sort(), told: problems.map(({ key, reason }) => `${key} ${reason}`) };
}

function nodeIds(generation: Generation): readonly number[] {
  return Array.from({ length: generation.entries }, (_, i) => generation.nodeId(i));
}

describe('an object that is listed without a size', () => {
  const sized = { key: 'a', size: 5, etag: 'x', lastModified: 1_700_000_000_000 };
  const unsized = { ...sized, size: Number.NaN };

  it('is left out of a first tree, and named', () => {
    const { files, told, generation } = build([
      unsized,
      { key: 'b', etag: 'y' },
      { ...unsized, key: 'hidden/a' },
    ]);
    assert.deepEqual(files, ['b y 1']);
    assert.deepEqual(told, ['a bad-size']);
    assert.equal(generation.problems, 1);
  });

  it('stays as it was shown before, and is named', () => {
    const before = build([sized, { key: 'c', etag: 'z', archived: true }]).generation;
    const { files, told, generation } = build(
      [unsized, { key: 'b' }, { key: 'c', etag: 'new', size: Number.NaN }],
      before,
    );
    assert.deepEqual(files, ['a x 5', 'b 9e107d9d372bb6826bd81d3542a419d6 1', 'c z 1']);
    assert.deepEqual(told, ['a bad-size', 'c bad-size', 'c unreadable-class']);
    const a = generation.find('a');
    assert.equal(generation.versionName(a), before.versionName(before.find('a')));
    assert.equal(generation.lastModified(a), 1_700_000_000);
    assert.equal(build([unsized, { key: 'c', etag: 'z', archived: true }], before).generation.id, before.id);
  });

  it('goes when it is listed no more', () => {
    const before = build([sized, { key: 'b' }]).generation;
    const kept = build([unsized, { key: 'b' }], before).generation;
    assert.deepEqual(build([{ key: 'b' }], kept).files, ['b 9e107d9d372bb6826bd81d3542a419d6 1']);
  });

  it('is not kept in the place of a directory, nor where it was found to be something else or nothing', () => {
    const before = build([{ key: 'a/b' }, { key: 'c' }, { key: 'd' }]).generation;
    const listed = [unsized, { key: 'c', size: Number.NaN }, { key: 'd', size: Number.NaN }];
    const found = { c: { etag: 'found', size: 3, lastModified: 0 }, d: null };
    const { files, told } = build(listed, before, found);
    assert.deepEqual(files, ['c found 3']);
    assert.deepEqual(told, ['a bad-size']);
  });

  it('is judged by its key first', () => {
    const { told } = build([
      { key: 'a//b', size: Number.NaN },
      { key: `b${'c'.repeat(4096)}`, size: Number.NaN },
    ]);
    assert.deepEqual(
      told.map((problem) => problem.split(' ')[1]),
      ['empty-component', 'too-long'],
    );
  });
});

describe('an object that is listed without a date', () => {
  it('is shown and named, under the date of the first look at it', () => {
    const { files, told, generation } = build([
      { key: 'a', etag: 'x', lastModified: Number.NaN },
      { key: 'b' },
    ]);
    assert.deepEqual(files, ['a x 1', 'b 9e107d9d372bb6826bd81d3542a419d6 1']);
    assert.deepEqual(told, ['a bad-date']);
    const a = generation.find('a');
    assert.deepEqual([generation.lastModified(a), generation.mtimeSeconds(a)], [0, NOW / 1000]);
  });

  it('is unchanged where it had a date before, and has one again', () => {
    const dated = { key: 'a', etag: 'x', lastModified: 1_700_000_000_000 };
    const before = build([dated]).generation;
    const without = build([{ ...dated, lastModified: Number.NaN }], before);
    const after = build([dated], without.generation);
    for (const { generation, changes } of [without, after]) {
      assert.equal(generation.id, before.id);
      assert.equal(changes?.changed.length, 0);
      assert.equal(generation.mtimeSeconds(generation.find('a')), 1_700_000_000);
    }
    assert.deepEqual(after.told, []);
  });
});

describe('a key over 4,096 bytes', () => {
  it('is named by its beginning, in whole characters', () => {
    for (const [character, count] of [
      ['x', 255],
      ['é', 127],
      ['日', 85],
      ['😀', 63],
    ] as const) {
      const { told } = build([{ key: character.repeat(4100).slice(0, 4100) }]);
      assert.deepEqual(told, [`${character.repeat(count)}… too-long`]);
    }
  });
});

describe('problems without number', () => {
  it('are counted all, and named a thousand of each reason, the first ones', () => {
    const objects = Array.from({ length: 2500 }, (_, i) => ({
      key: `k${String(i).padStart(5, '0')}`,
      lastModified: Number.NaN,
    }));
    const { told, unnamedProblems, generation } = build([{ key: 'a//b' }, ...objects]);
    assert.equal(generation.problems, 2501);
    assert.deepEqual(
      [told.length, told[0], told[1], told.at(-1)],
      [1001, 'a//b empty-component', 'k00000 bad-date', 'k00999 bad-date'],
    );
    assert.deepEqual([...unnamedProblems], [['bad-date', 1500]]);
  });
});

describe('the digest of a listing with unknown values', () => {
  const digest = (objects: readonly TestObject[]) => digestListing(listingOf(objects));

  it('is the same for every unknown value, and tells it from every known one', () => {
    const bits = new Float64Array(1);
    new BigUint64Array(bits.buffer)[0] = 0xfff8000000000001n;
    const otherNaN = bits[0]!;
    assert.equal(digest([{ key: 'a', size: Number.NaN }]), digest([{ key: 'a', size: otherNaN }]));
    const dated = digest([{ key: 'a' }, { key: 'b' }]);
    const digests = [
      dated,
      digest([{ key: 'a', lastModified: Number.NaN }, { key: 'b' }]),
      digest([{ key: 'a' }, { key: 'b', lastModified: Number.NaN }]),
      digest([{ key: 'a', size: Number.NaN }, { key: 'b' }]),
      digest([{ key: 'a', size: 0 }, { key: 'b' }]),
    ];
    assert.equal(new Set(digests).size, digests.length);
  });
});
