import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Yielder } from '../../src/base/yielder.ts';
import { boundOf } from '../../src/sync/prefetch-bound.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { treeOf } from './doubles/trees.ts';

describe('the prefetch bound', () => {
  it('is the one configured where everything up to it fits', async () => {
    const source = new FakeSource(() => 0);
    source.put('a', 'x'.repeat(60));
    source.put('b', 'x'.repeat(40));
    source.put('past', 'x'.repeat(101));
    source.put('frozen', 'x'.repeat(50), true);
    const { generation } = await treeOf(source);
    const limits = { prefetchBytes: 100, cacheBytes: 100 };
    assert.deepEqual(await boundOf(generation, limits, new Yielder()), {
      bytes: 100,
      neededBytes: 100,
      fits: true,
    });
  });

  it('keeps the smallest files where not all fit, as many sizes as do', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(20_000), async (lengths, cacheBytes) => {
        const source = new FakeSource(() => 0);
        for (const [number, length] of lengths.entries()) source.put(`file${number}`, 'x'.repeat(length));
        const { generation } = await treeOf(source);
        const limits = { prefetchBytes: 4096, cacheBytes };
        const bound = await boundOf(generation, limits, new Yielder());
        const upTo = (most: number): number =>
          lengths.filter((length) => length <= most).reduce((sum, length) => sum + length, 0);
        assert.equal(bound.neededBytes, upTo(4096));
        assert.equal(bound.fits, upTo(4096) <= cacheBytes);
        assert.ok(upTo(bound.bytes) <= cacheBytes);
        const next = Math.min(...lengths.filter((length) => length > bound.bytes));
        if (!bound.fits) assert.ok(upTo(next) > cacheBytes, 'the next larger size would have fitted');
      }),
      { numRuns: 200 },
    );
  });
});
