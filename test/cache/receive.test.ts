import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentOf, receive } from '../../src/cache/receive.ts';
import { MemoryStore } from './fixture.ts';

const { signal } = new AbortController();

test('content that arrives cut is asked for again, and given whole', async () => {
  const store = new MemoryStore();
  const version = store.putRandom('a.bin', 300_000);
  let answers = 0;
  store.tamper = (body) => (++answers < 3 ? body.subarray(0, -1) : body);
  const received = await receive(store, version, undefined, { start: 0, end: version.size }, { signal });
  assert.deepEqual(Buffer.from(contentOf(received)), store.content('a.bin'));
  assert.equal(store.requests.length, 3);
});

test('content that stays damaged is refused after three tries', async () => {
  const store = new MemoryStore();
  const version = store.putRandom('a.bin', 1000);
  store.tamper = (body) => body.subarray(1);
  await assert.rejects(receive(store, version, undefined, { start: 0, end: 1000 }, { signal }), {
    code: 'corrupt',
  });
  assert.equal(store.requests.length, 3);
});
