import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diffGenerations } from '../../src/tree/diff.ts';
import { build, collidingHash, hostileListing, indices, sortedPaths } from './arbitraries.ts';
import { referenceDiff, referenceTree } from './reference-tree.ts';

const NONE = 0xffffffff;

describe('the difference of two generations', () => {
  const pairs = fc.tuple(hostileListing, hostileListing, hostileListing);

  it('is that of the reference model, whatever the trees, salts and collisions', () => {
    const hash = fc.option(collidingHash, { nil: undefined });
    fc.assert(
      fc.property(pairs, hash, fc.boolean(), ([common, before, after], hash, salted) => {
        const given = hash === undefined ? {} : { hash };
        const older = build([...before, ...common], given).generation;
        const newer = build([...after, ...common], salted ? { ...given, salt: 5n } : given).generation;
        const changes = diffGenerations(older, newer);
        const expected = referenceDiff(
          referenceTree([...before, ...common]),
          referenceTree([...after, ...common]),
        );
        assert.deepEqual(sortedPaths(newer, changes.added), expected.added);
        assert.deepEqual(sortedPaths(older, changes.removed), expected.removed);
        assert.deepEqual(sortedPaths(newer, changes.changed), expected.changed);
        assert.deepEqual(sortedPaths(newer, changes.touched), expected.touched);
      }),
      { numRuns: 500 },
    );
  });

  it('pairs changed files, and gives what stays the index it had', () => {
    fc.assert(
      fc.property(pairs, ([common, before, after]) => {
        const older = build([...before, ...common]).generation;
        const newer = build([...after, ...common]).generation;
        const { origin, changed, changedFrom, added } = diffGenerations(older, newer);
        assert.equal(changed.length, changedFrom.length);
        changed.forEach((i, at) => {
          assert.equal(newer.path(i), older.path(changedFrom[at]!));
        });
        const isNew = new Set([...added, ...changed]);
        for (const i of indices(newer)) {
          const from = origin[i]!;
          assert.equal(from === NONE, isNew.has(i));
          if (from === NONE) continue;
          assert.equal(newer.path(i), older.path(from));
          assert.equal(newer.isDirectory(i), older.isDirectory(from));
          assert.equal(newer.etag(i), older.etag(from));
          assert.equal(newer.size(i), older.size(from));
        }
      }),
    );
  });

  it('ascends, and lies in memory that threads share', () => {
    fc.assert(
      fc.property(pairs, ([common, before, after]) => {
        const changes = diffGenerations(
          build([...before, ...common]).generation,
          build([...after, ...common]).generation,
        );
        for (const list of [changes.added, changes.removed, changes.changed, changes.touched]) {
          assert.deepEqual(
            [...list],
            [...list].sort((a, b) => a - b),
          );
        }
        for (const list of Object.values(changes)) assert.ok(list.buffer instanceof SharedArrayBuffer);
      }),
      { numRuns: 30 },
    );
  });

  it('is empty for the same listing, whatever its dates and storage classes', () => {
    const older = build([
      { key: 'a/b', lastModified: 1_000 },
      { key: 'c', archived: true },
    ]).generation;
    const newer = build([{ key: 'a/b', lastModified: 9_000 }, { key: 'c' }]).generation;
    const { added, removed, changed, touched } = diffGenerations(older, newer);
    assert.deepEqual([added.length, removed.length, changed.length, touched.length], [0, 0, 0, 0]);
  });

  it('of a file that becomes a directory, and back, is a removal and an addition', () => {
    const file = build([{ key: 'd/x' }]).generation;
    const directory = build([{ key: 'd/x/y' }]).generation;
    for (const [older, newer] of [
      [file, directory],
      [directory, file],
    ] as const) {
      const changes = diffGenerations(older, newer);
      assert.ok(sortedPaths(newer, changes.added).includes('d/x'));
      assert.ok(sortedPaths(older, changes.removed).includes('d/x'));
      assert.deepEqual(sortedPaths(newer, changes.touched), ['d']);
      assert.equal(changes.changed.length, 0);
    }
  });
});
