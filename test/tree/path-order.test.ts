import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Generation, orderByPath, placeInOrder } from '../../src/tree/index.ts';
import { build, indices, plainListing } from './arbitraries.ts';

function orderOf(generation: Generation): Uint32Array {
  const steps = orderByPath(generation);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

test('entries are ordered by the bytes of their whole paths, each once', () => {
  fc.assert(
    fc.property(plainListing, (objects) => {
      const { generation } = build(objects);
      const paths = Array.from(orderOf(generation), (index) => generation.path(index));
      const all = indices(generation)
        .slice(1)
        .map((index) => generation.path(index));
      assert.deepEqual(paths, all.sort(byBytes));
    }),
  );
});

test('a directory of many names is ordered as one of few', () => {
  const objects = Array.from({ length: 10_000 }, (_, at) => ({ key: `d/${(at * 7919) % 10_000}` }));
  const { generation } = build(objects);
  const paths = Array.from(orderOf(generation), (index) => generation.path(index));
  assert.deepEqual(paths, ['d', ...objects.map(({ key }) => key)].sort(byBytes));
});

test('the place of a path is that of the first one that does not come before it', () => {
  fc.assert(
    fc.property(
      plainListing,
      fc.constantFrom('', 'a', 'a.', 'a/', 'a/b', 'é', '日', '\uffff'),
      (objects, path) => {
        const { generation } = build(objects);
        const order = orderOf(generation);
        const paths = Array.from(order, (index) => generation.path(index));
        const bytes = Buffer.from(path);
        const before = paths.filter((each) => byBytes(each, path) < 0).length;
        assert.equal(placeInOrder(generation, order, bytes, false), before);
        assert.equal(placeInOrder(generation, order, bytes, true), before + (paths.includes(path) ? 1 : 0));
      },
    ),
  );
});
