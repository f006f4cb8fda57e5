import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestDates, digestListing } from '../../src/tree/digest.ts';
import { listingOf, type TestObject } from './listings.ts';

function digest(objects: readonly TestObject[]): string {
  return digestListing(listingOf(objects));
}

describe('the digest of the dates of a listing', () => {
  it('differs where the date of an object does, known or not, and by nothing else', () => {
    const of = (...objects: readonly TestObject[]) => digestDates(listingOf(objects));
    const a = { key: 'a', lastModified: 1 };
    assert.equal(of(a, { key: 'b', lastModified: 2 }), of(a, { key: 'c', etag: 'x', lastModified: 2 }));
    const digests = [of(), of(a), of(a, { key: 'b', lastModified: 1 }), of({ key: 'a', lastModified: 2 })];
    assert.equal(new Set([...digests, of({ key: 'a', lastModified: Number.NaN })]).size, 5);
    const undated = { ...listingOf([a]), lastModified: Float64Array.of(-Number.NaN) };
    assert.equal(digestDates(undated), of({ key: 'a', lastModified: Number.NaN }));
  });
});

describe('the digest of a listing', () => {
  it('is equal for equal listings, whatever the dates and whatever lies behind the columns', () => {
    const objects = [
      { key: 'a', lastModified: 1 },
      { key: 'b/c', etag: 'x' },
    ];
    const listing = listingOf(objects);
    const roomy = {
      ...listing,
      keys: Buffer.concat([listing.keys, Buffer.from('more')]),
      sizes: Float64Array.from([...listing.sizes, 5]),
    };
    assert.equal(digestListing(roomy), digest(objects));
    assert.equal(digest([{ key: 'a', lastModified: 2 }, objects[1]!]), digest(objects));
  });

  it('differs by the date of an object without an ETag, which nothing else would tell from the one before', () => {
    const of = (lastModified: number) => digest([{ key: 'a', lastModified, etag: '' }, { key: 'b' }]);
    assert.equal(of(1), of(1));
    assert.notEqual(of(1), of(2));
    assert.notEqual(of(1), digest([{ key: 'a', lastModified: 1 }, { key: 'b' }]));
  });

  it('differs where a key, an ETag, a size, a storage class or the order does', () => {
    const digests = [
      [],
      [{ key: '' }],
      [{ key: 'ab' }, { key: 'c' }],
      [{ key: 'a' }, { key: 'bc' }],
      [{ key: 'c' }, { key: 'ab' }],
      [{ key: 'ab' }, { key: 'c', etag: 'x' }],
      [{ key: 'ab', etag: 'x' }, { key: 'c' }],
      [{ key: 'ab' }, { key: 'c', size: 7 }],
      [{ key: 'ab' }, { key: 'c', archived: true }],
    ].map(digest);
    assert.equal(new Set(digests).size, digests.length);
  });
});
