import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContentVersion } from '../../src/base/content-version.ts';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import type { ContentCache } from '../../src/cache/content-cache.ts';
import { fixture, readLocal } from './fixture.ts';

type Fixture = ReturnType<typeof fixture>;

function adopt(cache: ContentCache, f: Fixture, version: ContentVersion, limitBytes = CHUNK_BYTES) {
  const nameOf = (etag: string, size: number): string => {
    assert.deepEqual({ etag, size }, { etag: version.etag, size: version.size });
    return version.name;
  };
  return cache.fetchCurrent(version.path, { nameOf, limitBytes, signal: f.signal });
}

test('what is under a path now is fetched without asking for a version, and kept as shown', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 10_000 });
  for (const bytes of [4_096, 5_000]) {
    const version = f.store.putRandom('dags/hot.py', bytes);
    const found = await adopt(cache, f, version);
    assert.deepEqual(found.version, version);
    assert.deepEqual(readLocal(f, version, found.located!), f.store.content('dags/hot.py'));
    assert.equal(f.store.requests.at(-1)?.ifMatch, undefined);
    assert.ok(cache.has(version));
  }
  // Both count as shown: until they are hidden, the cache evicts neither to make room.
  const other = f.store.putRandom('other', 5_000);
  const located = await cache.ensure(other, undefined, { signal: f.signal });
  assert.equal(located.kind, 'memory');
});

test('an object that is too large for one blob, or over the limit, is not read', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const large = f.store.putRandom('large', CHUNK_BYTES + 1);
  assert.equal((await adopt(cache, f, large, Number.POSITIVE_INFINITY)).located, undefined);
  const some = f.store.putRandom('some', 101);
  assert.equal((await adopt(cache, f, some, 100)).located, undefined);
  const empty = f.store.put('empty', new Uint8Array(0));
  assert.equal((await adopt(cache, f, empty)).located, undefined);
  assert.equal(cache.stats().entries, 0);
});

test('what arrives damaged is fetched three times, and claims no room afterwards', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 10_000 });
  const version = f.store.putRandom('dags/hot.py', 6_000);
  f.store.tamper = (body) => body.subarray(1);
  await assert.rejects(adopt(cache, f, version), { code: 'corrupt' });
  assert.equal(f.store.requests.length, 3);
  f.store.tamper = (body) => body;
  const other = f.store.putRandom('other', 6_000);
  assert.equal((await cache.ensure(other, undefined, { signal: f.signal })).kind, 'local');
});

test('a missing object is reported as gone', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const missing = { name: '0'.repeat(32), path: 'missing', etag: '', size: 1 };
  await assert.rejects(adopt(cache, f, missing), { code: 'gone' });
});
