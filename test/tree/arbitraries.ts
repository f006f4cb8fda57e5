import fc from 'fast-check';
import type { BuildInput, BuildResult } from '../../src/tree/build.ts';
import { buildGeneration } from '../../src/tree/build.ts';
import { PathFilter } from '../../src/tree/filter.ts';
import type { Generation } from '../../src/tree/generation.ts';
import type { NameHash } from '../../src/tree/name-hash.ts';
import { listingOf, type TestObject } from './listings.ts';

export const SALT = 0xfeed_0123_4567_89abn;
export const NOW = 1_800_000_000_000;
export const EVERYTHING = PathFilter.compile({ include: [], exclude: [] });

/** Names that sort around the slash, of several lengths and scripts, few enough to occur again. */
const GOOD_NAMES = ['a', 'b', 'a.', 'a-b', 'a0', 'é', 'e\u0301', '日', '.a', '...', 'a b', 'x'.repeat(255)];
const BAD_NAMES = ['', '.', '..', 'x'.repeat(256), 'n\0l', '\xff', '\xc3', '\xed\xa0\x80'];

const goodName = fc.constantFrom(...GOOD_NAMES).map((name) => Buffer.from(name).toString('latin1'));
const anyName = fc.oneof({ weight: 6, arbitrary: goodName }, fc.constantFrom(...BAD_NAMES));

const etag = fc.oneof(
  fc.constantFrom('0123456789abcdef0123456789abcdef', 'ffffffffffffffffffffffffffffffff'),
  fc.constantFrom('0123456789ABCDEF0123456789ABCDEF', '0123456789abcdef0123456789abcdef-2', '', '\xff\0"'),
);

function objectOf(name: fc.Arbitrary<string>): fc.Arbitrary<TestObject> {
  return fc
    .record({
      components: fc.array(name, { minLength: 0, maxLength: 4 }),
      slash: fc.integer({ min: 0, max: 4 }),
      size: fc.constantFrom(0, 0, 1, 2, 2 ** 40),
      etag,
      lastModified: fc.constantFrom(0, 1_700_000_000_500, 1_900_000_000_000, Number.NaN),
      archived: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ components, slash, archived, ...rest }) => ({
      ...rest,
      key: Buffer.from(components.join('/') + (slash === 0 ? '/' : ''), 'latin1'),
      archived: archived === 0,
    }));
}

/** Listings with hostile keys, conflicts and duplicates, in any order. */
export const hostileListing = fc.array(objectOf(anyName), { maxLength: 40 });

/** Listings of keys that are mostly paths. */
export const plainListing = fc.array(objectOf(goodName), { maxLength: 40 });

/** Hashes that collide: within the reserved values, at the top, and across the carry of the low half. */
export const collidingHash: fc.Arbitrary<NameHash> = fc.constantFrom<NameHash>(
  (_high, _low, _bytes, _start, _end, out) => {
    out.fill(0);
  },
  (_high, _low, _bytes, _start, _end, out) => {
    out.fill(0xffffffff);
  },
  (_high, _low, _bytes, start, end, out) => {
    out[0] = 0xfffffffe + ((end - start) % 2);
    out[1] = 7;
  },
  (_high, _low, bytes, start, _end, out) => {
    out[0] = 15 + ((bytes[start] ?? 0) % 3);
    out[1] = 0;
  },
);

/** A build with the plain values of a test. */
export function build(objects: readonly TestObject[], input: Partial<BuildInput> = {}): BuildResult {
  return buildGeneration({
    objects: listingOf(objects),
    filter: EVERYTHING,
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    salt: SALT,
    now: NOW,
    ...input,
  });
}

export function indices({ entries }: Generation): number[] {
  return Array.from({ length: entries }, (_, i) => i);
}

/** Paths of entries, sorted. */
export function sortedPaths(generation: Generation, entries: Iterable<number>): string[] {
  return Array.from(entries, (i) => generation.path(i)).sort();
}
