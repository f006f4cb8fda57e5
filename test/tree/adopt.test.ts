import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AdoptedObjects, adoptObjects } from '../../src/tree/adopt.ts';
import { buildGeneration } from '../../src/tree/build.ts';
import { PathFilter } from '../../src/tree/filter.ts';
import { listingOf, type TestObject } from './listings.ts';

const listed: readonly TestObject[] = [
  { key: 'a.py', etag: 'one' },
  { key: 'dir/é.py', etag: 'two', size: 5, lastModified: 1_000 },
  { key: 'dir/gone.py', etag: 'three' },
  { key: 'frozen', etag: 'four', archived: true },
];

describe('what was found in the place of what was listed', () => {
  const adopted: AdoptedObjects = new Map([
    ['dir/é.py', { etag: 'a-longer-etag', size: 77, lastModified: 9_000 }],
    ['dir/gone.py', null],
    ['frozen', { etag: 'five', size: 4, lastModified: 2_000 }],
    ['not/listed.py', { etag: 'six', size: 1, lastModified: 0 }],
  ]);
  const expected: readonly TestObject[] = [
    { key: 'a.py', etag: 'one' },
    { key: 'dir/é.py', etag: 'a-longer-etag', size: 77, lastModified: 9_000 },
    { key: 'frozen', etag: 'five', size: 4, lastModified: 2_000 },
  ];
  const built = (objects: readonly TestObject[], also?: AdoptedObjects) =>
    buildGeneration({
      objects: listingOf(objects),
      adopted: also,
      filter: PathFilter.compile({ include: [], exclude: [] }),
      previous: undefined,
      removedDirectories: new Map(),
      nextNodeId: 2,
      salt: 1n,
      now: 10_000,
    }).generation;

  it('makes a listing as if it had been listed so', () => {
    const made = adoptObjects(listingOf(listed), adopted);
    const { keys, etags, ...rest } = listingOf(expected);
    assert.deepEqual(
      { ...made, keys: Buffer.from(made.keys), etags: Buffer.from(made.etags) },
      { ...rest, keys, etags },
    );
  });

  it('makes the same tree, with the same id', () => {
    const one = built(listed, adopted);
    const other = built(expected);
    assert.equal(one.id, other.id);
    assert.notEqual(one.id, built(listed).id);
    const index = one.find('dir/é.py');
    assert.equal(one.versionName(index), other.versionName(other.find('dir/é.py')));
    assert.deepEqual([one.etag(index), one.size(index), one.mtimeSeconds(index)], ['a-longer-etag', 77, 9]);
    assert.equal(one.find('dir/gone.py'), -1);
    assert.equal(one.isArchived(one.find('frozen')), false);
  });

  it('takes a key that was listed twice for both', () => {
    const twice = [listed[1]!, { ...listed[1]!, etag: 'later' }];
    const one = built(twice, adopted);
    assert.equal(one.etag(one.find('dir/é.py')), 'a-longer-etag');
  });
});
