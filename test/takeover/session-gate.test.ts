import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ReadContent, SessionGate } from '../../src/takeover/session-gate.ts';
import type { ContentVersion } from '../../src/tree/index.ts';

const version = { path: 'a.py', size: 3, etag: '"x"' } as unknown as ContentVersion;
const early = new TextEncoder().encode('abc');
const never = new AbortController().signal;
const cached: ReadContent = async () => ({ kind: 'memory', bytes: new TextEncoder().encode('cached') });

function textOf(result: Awaited<ReturnType<ReadContent>>): string {
  assert.equal(result.kind, 'memory');
  return new TextDecoder().decode(result.bytes);
}

describe('the gate of a successor’s session', () => {
  test('fetches past the cache until that is open, and through it from then on', async () => {
    let fetches = 0;
    const gate = new SessionGate(async () => {
      fetches += 1;
      return early;
    });
    assert.equal(textOf(await gate.read(version, undefined, never, 1000)), 'abc');
    gate.open(cached, () => undefined);
    assert.equal(textOf(await gate.read(version, undefined, never, 1000)), 'cached');
    assert.equal(fetches, 1);
  });

  test('answers a read whose early fetch fails, or hangs, through the cache', async () => {
    for (const fetch of [
      () => Promise.reject(new Error('the store is down')),
      () => new Promise<never>(() => undefined),
    ]) {
      const gate = new SessionGate(fetch);
      const read = gate.read(version, undefined, never, 1000);
      gate.open(cached, () => undefined);
      assert.equal(textOf(await read), 'cached');
    }
  });

  test('fetches no more than eight blobs at once, of all users, while the cache is not open', async () => {
    let [now, most] = [0, 0];
    const ends: (() => void)[] = [];
    const gate = new SessionGate(() => {
      now += 1;
      most = Math.max(most, now);
      return new Promise((resolve) =>
        ends.push(() => {
          now -= 1;
          resolve(early);
        }),
      );
    });
    const reads = Array.from({ length: 20 }, (_, index) =>
      gate.read(version, undefined, never, index < 19 ? 1000 : 1001),
    );
    let answered = 0;
    for (const read of reads) void read.then(() => (answered += 1));
    for (let turn = 0; turn < 1_000 && answered < reads.length; turn += 1) {
      for (const end of ends.splice(0)) end();
      await new Promise(setImmediate);
    }
    assert.equal(answered, 20);
    assert.equal(most, 8);
  });

  test('keeps what the kernel lets go of until there is a tree to let go of it', () => {
    const gate = new SessionGate(() => assert.fail('no read'));
    const released: (readonly number[])[] = [];
    gate.released([1, 2]);
    gate.released([3]);
    gate.open(cached, (nodeIds) => void released.push([...nodeIds]));
    gate.released([4]);
    assert.deepEqual(released, [[1, 2, 3], [4]]);
  });
});
