import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { SYNC_BYTES } from '../../src/cache/blob-file.ts';
import { WriteTurns } from '../../src/cache/write-turns.ts';
import { fixture } from './fixture.ts';

/** Returns a callback that waits in the queue of WriteTurns, and notes its name when it has its turn. */
function waiters(turns: WriteTurns, done: number[]): (name: number) => Promise<void> {
  return async (name) => {
    await turns.next();
    done.push(name);
  };
}

test('writes wait until what the event loop has queued is done', async () => {
  const turns = new WriteTurns();
  const order: number[] = [];
  const wait = waiters(turns, order);
  const writing = wait(1);
  // As the client of the store queues the next request of a connection when its answer has ended.
  setImmediate(() => order.push(0));
  await writing;
  assert.deepEqual(order, [0, 1]);
});

test('many writes go in order of arrival, and the event loop runs in between', async () => {
  const turns = new WriteTurns();
  const order: number[] = [];
  const wait = waiters(turns, order);
  const writing = Promise.all(Array.from({ length: 100 }, (_, name) => wait(name)));
  const seen = new Set<number>();
  while (order.length < 100) {
    seen.add(order.length);
    await nextRound();
  }
  await writing;
  assert.deepEqual(order, [...Array(100).keys()]);
  assert.ok(seen.size > 4, `the event loop saw only ${[...seen].join(', ')} writes done`);
  // A write after a pause has its turn, too.
  await wait(100);
  assert.equal(order.at(-1), 100);
});

test('a blob that no reader waits for is written later, and one that a reader waits for at once', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const { signal } = f;
  const [background, demand, large] = ['background', 'demand', 'large'].map((path) =>
    f.store.putRandom(path, path === 'large' ? SYNC_BYTES + 1 : 4096),
  );
  f.store.hold();
  const fetches = [
    cache.ensure(background!, undefined, { signal, priority: 'background' }),
    cache.ensure(demand!, undefined, { signal }),
    cache.ensure(large!, undefined, { signal, priority: 'background' }),
  ];
  f.store.release();
  await fetches[1];
  assert.equal(existsSync(f.path(demand!)), true);
  assert.equal(existsSync(f.path(background!)), false);
  for (const located of await Promise.all(fetches)) assert.equal(located.kind, 'local');
  assert.equal(existsSync(f.path(background!)), true);
});

test('a cache that is closed while blobs wait to be written ends', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const { signal } = f;
  const versions = Array.from({ length: 50 }, (_, at) => f.store.putRandom(`a-${at}`, 100));
  const fetches = versions.map((version) =>
    cache.ensure(version, undefined, { signal, priority: 'background' }).catch(() => undefined),
  );
  await nextRound();
  await cache.close();
  await Promise.all(fetches);
  assert.deepEqual(
    f.files().filter((name) => name.includes('tmp-')),
    [],
  );
});
