import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { recordVerified } from '../../src/server/record-verified.ts';
import { ContentState } from '../../src/sync/content-state.ts';
import type { Shown } from '../../src/sync/shown.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

type Kept = Pick<Shown, 'generation' | 'content'>;

function shownTree(number: number, entries: number): Kept {
  return { generation: { number } as Kept['generation'], content: new ContentState(entries) };
}

test('what is verified is stored for each tree, again after a change and at the end, and not without a change', async (t) => {
  const stored: (readonly [number: number, first: bigint | undefined])[] = [];
  let shown: Kept | undefined;
  const store = {
    recordVerified: (number: number, fingerprints: BigUint64Array) =>
      void stored.push([number, fingerprints[0]]),
  };
  const end = recordVerified({ store, shown: () => shown, lookMs: 1 });
  defer(t, end);
  await delay(20);
  assert.deepEqual(stored, []);
  shown = shownTree(1, 2);
  await waitFor('the first tree', () => stored.length > 0, 10_000);
  await delay(20);
  assert.deepEqual(stored, [[1, 0n]]);
  shown.content.setLocal(0, 77n);
  await waitFor('a change', () => stored.length > 1, 10_000);
  const next = shownTree(2, 2);
  next.content.carryOver(shown.content, Uint32Array.of(0, 1));
  shown = next;
  await waitFor('the next tree', () => stored.length > 2, 10_000);
  await delay(20);
  assert.deepEqual(stored, [
    [1, 0n],
    [1, 77n],
    [2, 77n],
  ]);
  shown.content.setLocal(1, 78n);
  end();
  end();
  assert.equal(stored.length, 4);
});
