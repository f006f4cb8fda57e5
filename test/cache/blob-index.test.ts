import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BlobIndex, type Reservation } from '../../src/cache/blob-index.ts';
import { blobKey } from '../../src/cache/blob-path.ts';

const LIMIT = 1000;

interface Bench {
  readonly index: BlobIndex;
  readonly removed: string[];
  readonly add: (name: string, bytes: number, chunk?: number) => boolean;
  readonly keys: () => string[];
}

function bench(limitBytes = LIMIT, evictionPaused = false): Bench {
  const removed: string[] = [];
  const index = new BlobIndex({
    limitBytes,
    evictionPaused,
    remove: (key) => {
      removed.push(key);
      return true;
    },
  });
  return {
    index,
    removed,
    add: (name, bytes, chunk) => {
      const room = index.reserve(name, bytes);
      room?.release();
      const key = blobKey(name, chunk);
      if (room !== undefined) index.add({ key, name, bytes, fileBytes: bytes, fingerprint: 1n });
      return room !== undefined;
    },
    keys: () => index.inOrder().flatMap(({ blobs }) => blobs.map(({ key }) => key)),
  };
}

test('nothing is evicted before it is known what is shown; then hidden content is evicted first, and the limit holds', () => {
  const { index, add, removed, keys } = bench(LIMIT, true);
  for (const name of ['one', 'two', 'three', 'four']) {
    index.add({ key: blobKey(name, undefined), name, bytes: 300, fileBytes: 300, fingerprint: 0n });
  }
  assert.equal(add('five', 300), false);
  assert.equal(index.giveUp('five', 300), false);
  index.show('one', 'within');
  index.pin('two');
  assert.deepEqual(removed, []);
  index.resumeEviction();
  assert.deepEqual(removed, [blobKey('three', undefined)]);
  assert.equal(add('five', 300), true);
  assert.deepEqual(
    keys().toSorted(),
    ['five', 'one', 'two'].map((name) => blobKey(name, undefined)).toSorted(),
  );
});

test('of hidden content, the least recently used is evicted first', () => {
  const { index, add, removed } = bench();
  for (const name of ['a', 'b', 'c', 'd']) add(name, 250);
  index.touch(index.peek('a')!);
  add('e', 300);
  assert.deepEqual(removed, ['b', 'c']);
  assert.equal(index.evictions, 2);
});

test('hidden content is evicted first, then content past the prefetch limit, and no other', () => {
  const { index, add, removed } = bench();
  index.show('past', 'past');
  index.show('within', 'within');
  add('past', 300);
  add('within', 300);
  add('hidden', 300);
  index.show('new', 'within');
  assert.equal(add('new', 600), true);
  assert.deepEqual(removed, ['hidden', 'past']);
  assert.equal(add('more', 101), false);
  assert.deepEqual(removed, ['hidden', 'past']);
});

test('where there is no room without what is protected, nothing is evicted in vain', () => {
  const { index, add, removed } = bench();
  index.show('within', 'within');
  add('within', 700);
  add('hidden', 200);
  assert.equal(add('new', 301), false);
  assert.deepEqual(removed, []);
});

test('what is past the bound takes at most half, whole files and chunks together', () => {
  const { index, add, removed } = bench();
  for (const name of ['a', 'b', 'c']) index.show(name, 'past');
  add('a', 200, 0);
  add('a', 200, 1);
  add('b', 100);
  assert.deepEqual(removed, []);
  add('c', 150);
  assert.deepEqual(removed, [blobKey('a', 0)]);
  assert.equal(add('c', 501), false);
});

test('a version that moves past the prefetch limit evicts the oldest one there', () => {
  const { index, add, removed } = bench();
  index.show('a', 'within');
  index.show('b', 'within');
  add('a', 300);
  add('b', 300);
  index.show('b', 'past');
  index.show('a', 'past');
  assert.deepEqual(removed, ['a']);
});

test('what is pinned stays and is taken in over the limit; nothing else is', () => {
  const { index, add, removed } = bench();
  index.pin('a');
  add('a', 900);
  index.pin('b');
  assert.equal(add('b', 900), true);
  assert.equal(index.pinned, 2);
  assert.equal(index.pinnedBytes, 1800);
  assert.equal(add('c', 1), false);
  index.unpin('a');
  assert.deepEqual(removed, ['a']);
  assert.deepEqual([index.pinned, index.pinnedBytes], [1, 900]);
});

test('a version is pinned as long as anybody pins it', () => {
  const { index, add } = bench();
  add('a', 900);
  index.pin('a');
  index.pin('a');
  index.unpin('a');
  assert.equal(add('b', 200), false);
  index.unpin('a');
  index.unpin('a');
  assert.equal(add('b', 200), true);
});

test('what stops being pinned goes where the limit is exceeded, also if it is shown', () => {
  const { index, add, removed } = bench();
  index.show('a', 'within');
  index.show('b', 'within');
  index.pin('b');
  add('a', 600);
  add('b', 600);
  index.unpin('b');
  assert.deepEqual(removed, ['b']);
});

test('room that is held counts, so that fetches under way do not overrun the limit together', () => {
  const { index } = bench();
  const first = index.reserve('a', 600);
  assert.notEqual(first, undefined);
  assert.equal(index.reserve('b', 600), undefined);
  first?.release();
  assert.notEqual(index.reserve('b', 600), undefined);
});

test('content that was shown until now counts as the most recently used hidden content', () => {
  const { index, add, keys } = bench();
  index.show('a', 'within');
  add('a', 100);
  add('b', 100);
  index.hide('a');
  assert.deepEqual(keys(), ['b', 'a']);
});

test('recency holds over showing in another order', () => {
  const { index, add, removed } = bench();
  for (const name of ['a', 'b', 'c', 'd']) add(name, 125);
  for (const name of ['d', 'b', 'a', 'c']) index.show(name, 'past');
  index.show('e', 'past');
  add('e', 250);
  assert.deepEqual(removed, ['a', 'b']);
});

test('a blob that the disk does not let go stays in the index, and no room is given', () => {
  const index = new BlobIndex({ limitBytes: LIMIT, remove: () => false });
  index.reserve('a', 900)?.release();
  index.add({ key: 'a', name: 'a', bytes: 900, fileBytes: 900, fingerprint: 1n });
  assert.equal(index.reserve('b', 200), undefined);
  assert.notEqual(index.peek('a'), undefined);
  assert.equal(index.bytes, 900);
});

test('for a full disk, as much unneeded content is evicted as was asked for', () => {
  const { index, add, removed } = bench();
  index.show('past', 'past');
  index.show('within', 'within');
  add('past', 200);
  add('within', 200);
  add('hidden', 200);
  assert.equal(index.giveUp('other', 300), false);
  assert.deepEqual(removed, []);
  assert.equal(index.giveUp('within', 300), true);
  assert.deepEqual(removed, ['hidden', 'past']);
  assert.equal(index.giveUp('within', 1), false);
});

type Step =
  | { readonly do: 'show'; readonly name: string; readonly bound: 'within' | 'past' }
  | { readonly do: 'hide' | 'pin' | 'unpin' | 'begin' | 'end' | 'touch' | 'delete'; readonly name: string };

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('show' as const), name: names, bound: fc.constantFrom('within', 'past') }),
  fc.record({
    do: fc.constantFrom('hide', 'pin', 'unpin', 'begin', 'begin', 'end', 'end', 'touch', 'delete'),
    name: names,
  }),
);

test('after any operations limits hold, no protected blob was evicted for another, and the totals are right', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.integer({ min: 1, max: 600 })), { maxLength: 60 }), (steps) => {
      const files = new Map<string, number>();
      const shown = new Map<string, 'within' | 'past'>();
      const pins = new Map<string, number>();
      const underWay: { readonly name: string; readonly bytes: number; readonly room: Reservation }[] = [];
      let current = '';
      const isProtected = (name: string): boolean =>
        shown.get(name) === 'within' || (pins.get(name) ?? 0) > 0;
      const index = new BlobIndex({
        limitBytes: LIMIT,
        remove: (key) => {
          const name = key.slice(0, 1);
          // Only the blob of this step may lose its protection and go, where the limit would be exceeded otherwise.
          assert.ok(!isProtected(name) || name === current, `${key} was protected`);
          assert.ok((pins.get(name) ?? 0) === 0, `${key} was pinned`);
          assert.ok(files.delete(key), `${key} was there`);
          return true;
        },
      });
      const bytesOf = (which: (name: string) => boolean): number =>
        [...files].reduce((sum, [key, bytes]) => sum + (which(key.slice(0, 1)) ? bytes : 0), 0);
      for (const [{ name, ...what }, bytes] of steps) {
        current = name;
        // Names from e on stand for files in chunks.
        const key = name < 'e' ? name : blobKey(name, bytes % 3);
        switch (what.do) {
          case 'show':
            shown.set(name, what.bound);
            index.show(name, what.bound);
            break;
          case 'hide':
            shown.delete(name);
            index.hide(name);
            break;
          case 'pin':
            pins.set(name, (pins.get(name) ?? 0) + 1);
            index.pin(name);
            break;
          case 'unpin':
            pins.set(name, Math.max(0, (pins.get(name) ?? 0) - 1));
            index.unpin(name);
            break;
          case 'begin': {
            current = '';
            const room = index.reserve(name, bytes);
            if (room !== undefined) underWay.push({ name: key, bytes, room });
            break;
          }
          case 'end': {
            const fetched = underWay.shift();
            if (fetched === undefined) break;
            fetched.room.release();
            current = fetched.name.slice(0, 1);
            files.set(fetched.name, fetched.bytes);
            index.add({
              key: fetched.name,
              name: current,
              bytes: fetched.bytes,
              fileBytes: 0,
              fingerprint: 1n,
            });
            break;
          }
          case 'touch': {
            const blob = index.peek(key);
            if (blob !== undefined) index.touch(blob);
            break;
          }
          case 'delete':
            files.delete(key);
            index.delete(key);
            break;
          default:
            throw new Error('no such step');
        }
        const isPinned = (other: string): boolean => (pins.get(other) ?? 0) > 0;
        assert.equal(
          index.bytes,
          bytesOf(() => true),
        );
        assert.equal(index.entries, files.size);
        assert.equal(index.pinnedBytes, bytesOf(isPinned));
        assert.ok(bytesOf((other) => !isPinned(other)) <= LIMIT);
        assert.ok(bytesOf((other) => !isPinned(other) && shown.get(other) === 'past') <= LIMIT / 2);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what trees beside the current one show goes after what nothing shows, and before what the current one does', () => {
  const { index, add, removed } = bench();
  index.show('past', 'past');
  index.show('kept', 'within');
  for (const name of ['old', 'new', 'shared']) index.showBeside(name);
  index.showBeside('shared');
  for (const name of ['old', 'hidden', 'past', 'kept', 'new', 'shared']) assert.equal(add(name, 100), true);
  index.hideBeside('shared');
  assert.equal(index.rankOf('shared'), 'beside');
  index.show('larger', 'within');
  assert.equal(add('larger', 500), true);
  assert.deepEqual(removed, [blobKey('hidden', undefined)]);
  index.show('largest', 'within');
  assert.equal(add('largest', 300), true);
  assert.deepEqual(
    removed.slice(1),
    ['old', 'new', 'shared'].map((name) => blobKey(name, undefined)),
  );
  index.showBeside('one more');
  assert.equal(add('one more', 100), false, 'the current tree makes no room for it');
  assert.deepEqual(index.beside, { room: 0, free: 0, lost: 3 });
});

test('what trees beside the current one show makes room for each other, and what leaves the current one is the last', () => {
  const { index, add, removed } = bench();
  for (const name of ['one', 'two', 'three']) index.showBeside(name);
  index.show('one', 'within');
  for (const name of ['one', 'two']) assert.equal(add(name, 400), true);
  index.hide('one');
  assert.equal(index.rankOf('one'), 'beside');
  assert.deepEqual(index.beside, { room: LIMIT, free: LIMIT - 800, lost: 0 });
  assert.equal(add('three', 400), true);
  assert.deepEqual(removed, [blobKey('two', undefined)]);
  index.hideBeside('three');
  assert.equal(add('four', 300), true);
  assert.deepEqual(
    removed,
    ['two', 'three'].map((name) => blobKey(name, undefined)),
  );
  assert.equal(index.beside.lost, 1, 'the other was shown by nothing any more');
});
