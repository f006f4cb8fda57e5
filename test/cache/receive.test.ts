import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, test } from 'node:test';
import { type ContentStore, contentOf, receive } from '../../src/cache/receive.ts';
import type { SmallObject, SmallObjectRequest } from '../../src/store/object-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { fixture, MemoryStore, readLocal } from './fixture.ts';

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

describe('a small file in the background', () => {
  const BODY = Buffer.from('import airflow\n');

  /** A store whose short way gives `small`. */
  function shortly(small: (asked: SmallObjectRequest) => Promise<SmallObject | undefined> | undefined) {
    const store = new MemoryStore();
    const asked: SmallObjectRequest[] = [];
    const both: ContentStore = {
      get: (path, request) => store.get(path, request),
      getSmall: (_, request) => {
        asked.push(request);
        return small(request);
      },
    };
    return { store, asked, both };
  }

  const found = async (): Promise<SmallObject> => ({ bytes: BODY, versionId: undefined });

  it('is fetched the short way, and its file is the same as by the long one', async (t) => {
    const { store, asked, both } = shortly(found);
    const version = store.put('a.py', BODY);
    const contents: Buffer[] = [];
    for (const from of [both, store]) {
      const f = fixture(t);
      const cache = await f.open({ store: from });
      const located = await cache.ensure(version, undefined, { signal, priority: 'background' });
      assert.deepEqual(readLocal(f, version, located), BODY);
      contents.push(readFileSync(f.path(version)));
    }
    assert.deepEqual(contents[0], contents[1]);
    assert.deepEqual(
      asked.map(({ etag, size }) => [etag, size]),
      [[version.etag, BODY.length]],
    );
    assert.equal(store.requests.length, 1);
  });

  for (const [name, small] of [
    ['gives nothing', async () => undefined],
    ['is not tried', () => undefined],
  ] as const) {
    it(`is fetched the long way if the short one ${name}`, async (t) => {
      const { store, both } = shortly(small);
      const f = fixture(t);
      const cache = await f.open({ store: both });
      const version = store.put('a.py', BODY);
      const located = await cache.ensure(version, undefined, { signal, priority: 'background' });
      assert.deepEqual(readLocal(f, version, located), BODY);
      assert.deepEqual(
        store.requests.map(({ priority }) => priority),
        ['background'],
      );
    });
  }

  it('is fetched once, for a reader who comes meanwhile, too', async (t) => {
    let arrive: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { store, asked, both } = shortly(() => held.then(found));
    const f = fixture(t);
    const cache = await f.open({ store: both });
    const version = store.put('a.py', BODY);
    const leaving = new AbortController();
    const prefetched = cache.ensure(version, undefined, { signal: leaving.signal, priority: 'background' });
    await waitFor('the request', () => asked.length === 1);
    const read = cache.ensure(version, undefined, { signal });
    leaving.abort(new Error('over'));
    await assert.rejects(prefetched, /over/);
    arrive();
    assert.deepEqual(readLocal(f, version, await read), BODY);
    assert.deepEqual([asked.length, store.requests.length], [1, 0]);
    assert.deepEqual([cache.stats().hits, cache.stats().misses], [0, 1]);
  });

  it('goes the long way if a reader waits for it, or if its ETag is no MD5, or if it is not small', async (t) => {
    const { store, asked, both } = shortly(found);
    const f = fixture(t);
    const cache = await f.open({ store: both });
    await cache.ensure(store.put('read.py', BODY), undefined, { signal });
    const large = store.putRandom('large.zip', 64 * 1024 + 1);
    await cache.ensure(large, undefined, { signal, priority: 'background' });
    const parts = { ...store.put('parts.py', BODY), etag: `${'0'.repeat(32)}-2` };
    await assert.rejects(cache.ensure(parts, undefined, { signal, priority: 'background' }), {
      code: 'changed',
    });
    assert.equal(asked.length, 0);
    assert.equal(store.requests.length, 3);
  });
});
