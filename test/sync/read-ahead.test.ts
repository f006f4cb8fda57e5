import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import type { Located } from '../../src/sync/ports.ts';
import { ReadAhead } from '../../src/sync/read-ahead.ts';
import type { ContentVersion } from '../../src/tree/index.ts';
import { FakeClock } from '../support/fake-clock.ts';

const CHUNKS = 20;

function versionOf(path: string): ContentVersion {
  return { name: path, path, etag: 'e', size: CHUNKS * CHUNK_BYTES - 1 };
}

describe('reading ahead of who reads a large file from its start to its end', () => {
  const version = versionOf('large');
  let clock: FakeClock;
  let cached: Set<string>;
  let underWay: Map<string, { resolve: (located: Located) => void; reject: (error: unknown) => void }>;
  let priorities: Set<string>;
  let down: boolean;

  /** For a store that has yet to show how fast it is. */
  const openNew = (cacheBytes: number): ReadAhead =>
    new ReadAhead({
      clock,
      cacheBytes,
      isSourceDown: () => down,
      cache: {
        has: ({ name }, chunk) => cached.has(`${name}.${chunk}`),
        ensure: ({ name }, chunk, { signal, priority }) => {
          priorities.add(priority);
          return new Promise((resolve, reject) => {
            const key = `${name}.${chunk}`;
            underWay.set(key, { resolve, reject });
            signal.addEventListener('abort', () => {
              underWay.delete(key);
              reject(signal.reason);
            });
          });
        },
      },
    });
  /** For a store that is fast. */
  const open = async (cacheBytes: number): Promise<ReadAhead> => {
    const ahead = openNew(cacheBytes);
    if (cacheBytes < 8 * CHUNK_BYTES) return ahead;
    const first = versionOf('first');
    cached.add('first.1');
    for (const chunk of [0, 1]) ahead.asked(first, chunk);
    await arrives('first.2');
    ahead.left(first, 1);
    await clock.settle();
    priorities.clear();
    return ahead;
  };
  const wanted = (): string[] => [...underWay.keys()];
  const arrives = async (key: string, kind: 'local' | 'memory' = 'local'): Promise<void> => {
    const fetch = underWay.get(key)!;
    underWay.delete(key);
    if (kind === 'local') cached.add(key);
    fetch.resolve(kind === 'local' ? { kind, fingerprint: 1n } : { kind, bytes: new Uint8Array(1) });
    await clock.settle();
  };

  beforeEach(() => {
    clock = new FakeClock();
    cached = new Set();
    underWay = new Map();
    priorities = new Set();
    down = false;
  });

  it('begins at the second chunk in a row, and goes further the longer that goes on', async () => {
    const ahead = await open(2 ** 31);
    ahead.asked(version, 3);
    assert.deepEqual(wanted(), [], 'who reads one chunk may not want the next');
    ahead.asked(version, 4);
    assert.deepEqual(wanted(), ['large.5']);
    ahead.asked(version, 4);
    assert.deepEqual(wanted(), ['large.5'], 'the kernel asks for one chunk in many parts');
    await arrives('large.5');
    ahead.asked(version, 5);
    assert.deepEqual(wanted(), ['large.6', 'large.7']);
    ahead.asked(version, 6);
    assert.deepEqual(wanted(), ['large.6', 'large.7', 'large.8', 'large.9']);
    assert.deepEqual([...priorities], ['background'], 'readers go first');
  });

  it('never has more than four chunks on their way, however many read', async () => {
    const ahead = await open(2 ** 31);
    for (const path of ['a', 'b', 'c', 'd', 'e', 'f']) {
      for (const chunk of [0, 1, 2]) ahead.asked(versionOf(path), chunk);
    }
    assert.equal(ahead.underWay, 4);
    assert.equal(underWay.size, 4);
  });

  it('fetches one at a time, and none beside what the reader waits for, as long as the store is slow', async () => {
    const ahead = openNew(2 ** 31);
    for (const chunk of [0, 1, 2]) ahead.asked(version, chunk);
    assert.deepEqual(wanted(), []);
    cached.add('large.2');
    ahead.arrived(version, 2);
    assert.deepEqual(wanted(), ['large.3']);
    await clock.advance(5_000);
    await arrives('large.3');
    assert.deepEqual(wanted(), ['large.4']);
    await arrives('large.4');
    ahead.asked(version, 3);
    assert.deepEqual(wanted(), ['large.5', 'large.6', 'large.7'], 'that one came at once');
  });

  it('tells readers of one file apart', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [0, 10, 1, 11]) ahead.asked(version, chunk);
    assert.deepEqual(wanted(), ['large.2', 'large.12']);
  });

  it('ends at the end of the file', async () => {
    const ahead = await open(2 ** 31);
    ahead.asked(version, CHUNKS - 2);
    ahead.asked(version, CHUNKS - 1);
    assert.deepEqual(wanted(), []);
  });

  it('is not for who looks here and there: a zip file is read from its tail', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [19, 0, 7, 3]) ahead.asked(version, chunk);
    assert.deepEqual(wanted(), []);
  });

  it('asks only for what is not here', async () => {
    const ahead = await open(2 ** 31);
    cached.add('large.2');
    ahead.asked(version, 0);
    ahead.asked(version, 1);
    assert.deepEqual(wanted(), []);
    ahead.asked(version, 2);
    assert.deepEqual(wanted(), ['large.3', 'large.4']);
  });

  it('gives up what is on its way when the reader is killed or refused', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [0, 1, 2]) ahead.asked(version, chunk);
    assert.equal(underWay.size, 3);
    ahead.left(version, 2);
    await clock.settle();
    assert.equal(underWay.size, 0);
    assert.equal(ahead.underWay, 0);
  });

  it('gives up what a reader has passed, and goes on ahead of it', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [0, 1, 2]) ahead.asked(version, chunk);
    assert.deepEqual(wanted(), ['large.2', 'large.3', 'large.4']);
    ahead.asked(version, 4);
    await clock.settle();
    assert.deepEqual(wanted(), ['large.4', 'large.5', 'large.6', 'large.7']);
  });

  it('gives up what is on its way for a reader that has asked for nothing for a while', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [0, 1]) ahead.asked(version, chunk);
    await clock.advance(40_000);
    assert.equal(underWay.size, 0);
    assert.equal(clock.sleeping, 0, 'and nothing watches any more');
  });

  it('asks for nothing while the store is known to be down, and gives up what is on its way', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [0, 1]) ahead.asked(version, chunk);
    ahead.giveUp();
    await clock.settle();
    assert.equal(underWay.size, 0);
    down = true;
    for (const chunk of [2, 3]) ahead.asked(version, chunk);
    assert.equal(underWay.size, 0);
  });

  it('ends where the cache keeps nothing, or is too small to hold what is read and what is ahead', async () => {
    const full = await open(2 ** 31);
    for (const chunk of [0, 1]) full.asked(version, chunk);
    await arrives('large.2', 'memory');
    assert.deepEqual(wanted(), []);
    const small = await open(7 * CHUNK_BYTES);
    for (const chunk of [0, 1, 2, 3]) small.asked(versionOf('other'), chunk);
    assert.deepEqual(wanted(), []);
  });

  it('ends for good', async () => {
    const ahead = await open(2 ** 31);
    for (const chunk of [0, 1]) ahead.asked(version, chunk);
    ahead.stop();
    ahead.asked(version, 2);
    await clock.settle();
    assert.equal(underWay.size, 0);
    assert.equal(clock.sleeping, 0);
  });
});
