import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ReleaseProbe } from '../../../src/session/kernel/release-probe.ts';
import type { HeldInode } from '../../../src/session/trees/held-inode.ts';
import { ERRNO } from '../../../src/wire/index.ts';

describe('the question which replaced nodes the kernel still holds', () => {
  let held: Set<number>;
  let asked: { readonly count: number; answer(results: Int32Array): void }[];
  let released: number[];
  let probe: ReleaseProbe;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  beforeEach((t) => {
    held = new Set(Array.from({ length: 10 }, (_, i) => 100 + i));
    asked = [];
    released = [];
    probe = new ReleaseProbe({
      trees: {
        held: (nodeId) => (held.has(nodeId) ? ({ nodeId } as HeldInode) : undefined),
        heldIds: () => [...held],
        release: (nodeIds) => {
          for (const nodeId of nodeIds) held.delete(nodeId);
        },
      },
      ask: ({ length: count }) => new Promise((answer) => asked.push({ count, answer })),
      onReleased: (nodeIds) => released.push(...nodeIds),
    });
    (t as { after?: (end: () => void) => void }).after?.(() => probe.stop());
  });

  test('is asked once at a time: while the kernel does not answer, the rest waits, each node once', async () => {
    probe.ask([100]);
    for (let i = 0; i < 10_000; i++) probe.ask([101, 102, 100]);
    await turn();
    assert.deepEqual(
      asked.map(({ count }) => count),
      [1],
    );
    asked[0]?.answer(Int32Array.of(ERRNO.ENOENT));
    await turn();
    // Node 100 is released by now, so the probe asks for the other two.
    assert.deepEqual(
      asked.map(({ count }) => count),
      [1, 2],
    );
    asked[1]?.answer(Int32Array.of(0, ERRNO.ENOENT));
    await turn();
    assert.deepEqual(released, [100, 102]);
    assert.equal(asked.length, 2);
    probe.stop();
  });
});
