import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { WriteQueue } from '../../src/cache/write-queue.ts';
import { Stopper } from '../../src/store/stop.ts';
import { fixture } from './fixture.ts';

class Writes {
  readonly order: (number | string)[] = [];
  readonly #queue = new WriteQueue();

  async write(
    name: number | string,
    flight = { signal: new Stopper(), urgent: false },
    bytes = 4096,
  ): Promise<void> {
    await this.#queue.turn(flight, bytes);
    this.order.push(name);
  }

  /** Returns how many were written in each round of the event loop, until `count` are. */
  async rounds(count: number): Promise<readonly number[]> {
    const rounds: number[] = [];
    for (let before = 0; before < count; before = this.order.length) {
      await nextRound();
      if (this.order.length > before) rounds.push(this.order.length - before);
    }
    return rounds;
  }
}

test('writes wait until what the event loop has queued is done', async () => {
  const writes = new Writes();
  const writing = writes.write('blob');
  // As the client of the store queues the next request of a connection when its answer has ended.
  setImmediate(() => writes.order.push('request'));
  await writing;
  assert.deepEqual(writes.order, ['request', 'blob']);
});

test('many writes go in order of arrival, some in each round of the event loop', async () => {
  const writes = new Writes();
  const names = [...Array(100).keys()];
  const writing = Promise.all(names.map((name) => writes.write(name)));
  assert.deepEqual(await writes.rounds(100), [16, 16, 16, 16, 16, 16, 4]);
  await writing;
  assert.deepEqual(writes.order, names);
  await writes.write('after a pause');
});

test('few larger blobs are written in a round', async () => {
  const writes = new Writes();
  const writing = Promise.all([...Array(10).keys()].map((name) => writes.write(name, undefined, 100_000)));
  assert.deepEqual(await writes.rounds(10), [3, 3, 3, 1]);
  await writing;
});

test('a blob for which a reader waits goes before the others, also if the reader came later', async () => {
  const writes = new Writes();
  const flight = { signal: new Stopper(), urgent: false };
  const writing = [...Array(50).keys()].map((name) => writes.write(name));
  writing.push(writes.write('wanted', flight));
  flight.urgent = true;
  await Promise.all(writing);
  assert.deepEqual(writes.order.slice(0, 2), ['wanted', 0]);
});

test('a blob that no reader waits for is written later, and one that a reader waits for at once', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const { signal } = f;
  const background = f.store.putRandom('background', 4096);
  const demand = f.store.putRandom('demand', 4096);
  f.store.hold();
  const fetches = [
    cache.ensure(background, undefined, { signal, priority: 'background' }),
    cache.ensure(demand, undefined, { signal }),
  ];
  f.store.release();
  await fetches[1];
  assert.equal(existsSync(f.path(demand)), true);
  assert.equal(existsSync(f.path(background)), false);
  for (const located of await Promise.all(fetches)) assert.equal(located.kind, 'local');
  assert.equal(existsSync(f.path(background)), true);
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
