import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Generation } from '../../src/tree/generation.ts';
import { halfSipHash } from '../../src/tree/name-hash.ts';
import { build, collidingHash, indices, plainListing } from './arbitraries.ts';

/** What a reader gets of the directory at `path` in one call after this cookie: at most `limit` names. */
function readDirectory(
  generation: Generation,
  path: string,
  after: readonly [number, number],
  limit: number,
) {
  const directory = generation.find(path);
  if (directory === -1 || !generation.isDirectory(directory)) return [];
  const start = generation.seek(directory, ...after);
  const end = Math.min(generation.childrenEnd(directory), start + limit);
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => ({
    name: Buffer.from(generation.name(start + i)).toString(),
    cookie: [generation.cookieHigh(start + i), generation.cookieLow(start + i)] as const,
  }));
}

function listDirectory(generations: readonly Generation[], path: string, limit: number): string[] {
  const names: string[] = [];
  let after: readonly [number, number] = [0, 2];
  for (let call = 0; ; call++) {
    const generation = generations[Math.min(call, generations.length - 1)]!;
    const batch = readDirectory(generation, path, after, limit);
    if (batch.length === 0) {
      if (call >= generations.length - 1) return names;
      continue;
    }
    names.push(...batch.map(({ name }) => name));
    after = batch.at(-1)!.cookie;
  }
}

describe('listing a directory by cookies', () => {
  it('gives every child once, in calls of any size, also where hashes collide', () => {
    const hash = fc.option(collidingHash, { nil: undefined });
    fc.assert(
      fc.property(plainListing, fc.integer({ min: 1, max: 5 }), hash, (objects, limit, hash) => {
        const { generation } = build(objects, hash === undefined ? {} : { hash });
        for (const i of indices(generation).filter((index) => generation.isDirectory(index))) {
          const names = listDirectory([generation], generation.path(i), limit);
          assert.equal(names.length, generation.childrenEnd(i) - generation.childrenStart(i));
          assert.equal(new Set(names).size, names.length);
        }
      }),
    );
  });

  it('that goes on in later generations repeats no name and loses none that all of them have', () => {
    const generations = fc.array(plainListing, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(generations, plainListing, fc.integer({ min: 1, max: 4 }), (listings, kept, limit) => {
        const trees = listings.map((objects) => build([...objects, ...kept]).generation);
        for (const path of ['', 'a', 'a-b', 'a/a']) {
          const seen = listDirectory(trees, path, limit);
          assert.equal(new Set(seen).size, seen.length);
          const lists = trees.map((tree) => listDirectory([tree], path, 100));
          const everywhere = lists[0]!.filter((name) => lists.every((names) => names.includes(name)));
          for (const name of everywhere) assert.ok(seen.includes(name), name);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('cookies', () => {
  it('depend on the salt and the name alone', () => {
    const first = build([{ key: 'd/a' }, { key: 'd/b' }]).generation;
    const second = build([{ key: 'x/y/b', size: 9 }, { key: 'a/' }]).generation;
    const other = build([{ key: 'a' }], { salt: 1n }).generation;
    const cookie = (generation: Generation, path: string) => {
      const i = generation.find(path);
      return [generation.cookieHigh(i), generation.cookieLow(i)];
    };
    assert.deepEqual(cookie(first, 'd/a'), cookie(second, 'a'));
    assert.deepEqual(cookie(first, 'd/b'), cookie(second, 'x/y/b'));
    assert.notDeepEqual(cookie(first, 'd/a'), cookie(other, 'a'));
    assert.equal(first.salt, second.salt);
    assert.equal(other.salt, 1n);
  });

  it('past the last one there is nothing, and before the first there is everything', () => {
    const { generation } = build([{ key: 'a' }, { key: 'b' }]);
    for (const [high, low] of [
      [0x7fffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
    ] as const) {
      assert.equal(generation.seek(0, high, low), generation.childrenEnd(0));
    }
    assert.equal(generation.seek(0, 0, 0), generation.childrenStart(0));
    assert.equal(generation.seek(0, 0, 15), generation.childrenStart(0));
    const file = generation.find('a');
    assert.equal(generation.seek(file, 0, 0), generation.childrenEnd(file));
  });

  it('find the next cookie over the carry from the low half to the high one', () => {
    const { generation } = build([{ key: 'a' }, { key: 'b' }, { key: 'c' }], {
      hash: (_high, _low, _bytes, _start, _end, out) => {
        out[0] = 0xffffffff;
        out[1] = 3;
      },
    });
    assert.deepEqual(
      [1, 2, 3].map((i) => [generation.cookieHigh(i), generation.cookieLow(i)]),
      [
        [3, 0xffffffff],
        [4, 0],
        [4, 1],
      ],
    );
    assert.equal(generation.seek(0, 3, 0xffffffff), 2);
    assert.equal(generation.seek(0, 3, 0xfffffffe), 1);
  });
});

describe('the hash of names', () => {
  it('is HalfSipHash-2-4 with 64 bits, by the vectors of its reference implementation', () => {
    const vectors: readonly (readonly [number, string])[] = [
      [0, '218d1f59b9b83cc8'],
      [1, 'be552412f8387315'],
      [2, '064f39ef7c50eb57'],
      [3, 'ce0f1a45f7060679'],
      [4, 'd5e78a175be52ea1'],
      [7, 'ff202728b07bc684'],
      [8, 'edfee820bce4858c'],
      [15, '217d0bcb4e81c902'],
    ];
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
    const out = new Uint32Array(2);
    for (const [length, expected] of vectors) {
      // At an odd offset, so that nothing relies on alignment.
      const shifted = Uint8Array.from([9, ...bytes.subarray(0, length), 9]);
      halfSipHash(0x07060504, 0x03020100, shifted, 1, 1 + length, out);
      const written = Buffer.alloc(8);
      written.writeUInt32LE(out[0]!, 0);
      written.writeUInt32LE(out[1]!, 4);
      assert.equal(written.toString('hex'), expected);
    }
  });
});
