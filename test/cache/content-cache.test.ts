import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import { waitFor } from '../support/wait-for.ts';
import { ensure, fixture, readLocal } from './fixture.ts';

test('content is fetched by its ETag, once, and is then on disk under the fingerprint that was given', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('dags/a.py', 4096);
  assert.equal(cache.has(version), false);
  assert.deepEqual(readLocal(f, version, await ensure(cache, f, version)), f.store.content('dags/a.py'));
  assert.equal(cache.has(version), true);
  assert.deepEqual(readLocal(f, version, await ensure(cache, f, version)), f.store.content('dags/a.py'));
  assert.equal(f.store.requests.length, 1);
  assert.equal(f.store.requests[0]?.ifMatch, version.etag);
  assert.equal(f.store.requests[0]?.range, undefined);
  const { entries, bytes, hits, misses } = cache.stats();
  assert.deepEqual({ entries, bytes, hits, misses }, { entries: 1, bytes: 4096, hits: 1, misses: 1 });
});

test('a large file is cached in chunks, each fetched by its range', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('data/large.zip', CHUNK_BYTES + 1000);
  const content = f.store.content('data/large.zip');
  const last = await ensure(cache, f, version, 1);
  assert.deepEqual(readLocal(f, version, last, 1), content.subarray(CHUNK_BYTES));
  assert.equal(cache.has(version, 0), false);
  const first = await ensure(cache, f, version, 0);
  assert.equal(Buffer.compare(content.subarray(0, CHUNK_BYTES), readLocal(f, version, first, 0)), 0);
  assert.deepEqual(
    f.store.requests.map(({ range }) => range),
    [
      { start: CHUNK_BYTES, end: CHUNK_BYTES + 1000 },
      { start: 0, end: CHUNK_BYTES },
    ],
  );
});

test('files are for their owner alone, and so are directories', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  await ensure(cache, f, f.store.putRandom('a', 10));
  const [file] = f.files();
  assert.equal(statSync(`${f.directory}/blobs/${file}`).mode & 0o7777, 0o600);
  for (const path of ['', '/blobs', `/blobs/${file?.slice(0, 2)}`]) {
    assert.equal(statSync(f.directory + path).mode & 0o7777, 0o700);
  }
});

test('content that comes in very many small parts is whole', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  f.store.partBytes = 100;
  for (const size of [110_000, 900_000]) {
    const version = f.store.putRandom(`a-${size}`, size);
    assert.deepEqual(readLocal(f, version, await ensure(cache, f, version)), f.store.content(version.path));
  }
  assert.deepEqual((await cache.verify({ signal: f.signal })).corrupt, []);
});

test('an empty file needs neither store nor disk', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const located = await ensure(cache, f, f.store.put('empty', new Uint8Array(0)));
  assert.deepEqual(located, { kind: 'memory', bytes: new Uint8Array(0) });
  assert.deepEqual([f.store.requests.length, f.files().length], [0, 0]);
});

test('many who ask for one blob at the same time cost one fetch', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 100_000);
  f.store.hold();
  const asked = Array.from({ length: 20 }, () => ensure(cache, f, version));
  f.store.release();
  for (const located of await Promise.all(asked)) {
    assert.deepEqual(readLocal(f, version, located), f.store.content('a'));
  }
  assert.equal(f.store.requests.length, 1);
  assert.equal(cache.stats().misses, 20);
});

test('a reader that goes away does not end the fetch that others wait for', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 100);
  f.store.hold();
  const leaving = new AbortController();
  const left = cache.ensure(version, undefined, { signal: leaving.signal });
  const stayed = ensure(cache, f, version);
  leaving.abort(new Error('killed'));
  await assert.rejects(left, /killed/);
  f.store.release();
  assert.equal((await stayed).kind, 'local');
  assert.equal(f.store.requests.length, 1);
});

test('when no caller waits any more, the fetch is aborted, its room is given back, and nothing stays on disk', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ limitBytes: 1000 });
  const version = f.store.putRandom('a', 900);
  f.store.hold();
  const leaving = new AbortController();
  const left = cache.ensure(version, undefined, { signal: leaving.signal });
  await waitFor('the request', () => f.store.requests.length === 1);
  leaving.abort(new Error('killed'));
  await assert.rejects(left, /killed/);
  assert.equal(f.store.requests[0]?.signal.aborted, true);
  f.store.release();
  const located = await ensure(cache, f, f.store.putRandom('b', 1000));
  assert.equal(located.kind, 'local');
  assert.equal(f.files().length, 1);
});

test('the store is told whether a reader waits', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  await cache.ensure(f.store.putRandom('a', 1), undefined, { signal: f.signal, priority: 'background' });
  await cache.ensure(f.store.putRandom('b', 1), undefined, { signal: f.signal, priority: 'demand' });
  assert.deepEqual(
    f.store.requests.map(({ priority }) => priority),
    ['background', 'demand'],
  );
  const { hits, misses } = cache.stats();
  assert.deepEqual({ hits, misses }, { hits: 0, misses: 1 });
});

test('large blobs in memory at a time are bounded, and a reader goes before the prefetch', async (t) => {
  const f = fixture(t);
  const cache = await f.open({ bufferBytes: 250_000 });
  const versions = Array.from({ length: 5 }, (_, i) => f.store.putRandom(`large-${i}`, 200_000));
  f.store.hold();
  const prefetched = versions.map((version) =>
    cache.ensure(version, undefined, { signal: f.signal, priority: 'background' }),
  );
  const read = ensure(cache, f, versions[4]!);
  await waitFor('the request', () => f.store.requests.length === 1);
  f.store.release();
  await Promise.all([...prefetched, read]);
  assert.deepEqual(
    f.store.requests.map(({ path }) => path),
    ['large-0', 'large-4', 'large-1', 'large-2', 'large-3'],
  );
});

const wrong: readonly [string, (body: Uint8Array) => Uint8Array][] = [
  ['shorter', (body) => body.subarray(1)],
  ['longer', (body) => Buffer.concat([body, Buffer.from('x')])],
  ['empty', () => new Uint8Array(0)],
];
for (const [how, tamper] of wrong) {
  test(`a body that is ${how} than it should be is never kept`, async (t) => {
    const f = fixture(t);
    const cache = await f.open();
    const version = f.store.putRandom('a', 70_000);
    f.store.tamper = tamper;
    await assert.rejects(ensure(cache, f, version), { name: 'StoreError', code: 'corrupt' });
    assert.equal(cache.has(version), false);
    assert.deepEqual(f.files(), []);
    f.store.tamper = (body) => body;
    assert.equal((await ensure(cache, f, version)).kind, 'local');
  });
}

test('an object that has changed is refused, also by a store that ignores If-Match', async (t) => {
  for (const honoursIfMatch of [true, false]) {
    const f = fixture(t);
    const cache = await f.open();
    const version = f.store.putRandom('a', 100);
    f.store.putRandom('a', 100);
    f.store.honoursIfMatch = honoursIfMatch;
    await assert.rejects(ensure(cache, f, version), { name: 'StoreError', code: 'changed' });
    assert.deepEqual(f.files(), []);
  }
});

test('the content of two versions of one path is kept apart', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const before = f.store.putRandom('a', 100);
  const old = Buffer.from(f.store.content('a'));
  await ensure(cache, f, before);
  const after = f.store.putRandom('a', 100);
  assert.deepEqual(readLocal(f, after, await ensure(cache, f, after)), f.store.content('a'));
  assert.equal(Buffer.compare(readLocal(f, before, await ensure(cache, f, before)), old), 0);
});

test('closing aborts what is under way and gives the directory free for another', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  await assert.rejects(f.open(), { name: 'CacheError', code: 'cache-in-use' });
  f.store.hold();
  const pending = ensure(cache, f, f.store.putRandom('a', 10));
  const refused = assert.rejects(pending, { name: 'CacheError', code: 'cache-closed' });
  await cache.close();
  await refused;
  await assert.rejects(ensure(cache, f, f.store.putRandom('b', 10)), { code: 'cache-closed' });
  await cache.close();
  await f.open();
});

test('the verify pass reads every blob and removes the bad ones', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const good = f.store.putRandom('good', 5000);
  const bad = f.store.putRandom('bad', 300_000);
  const part = f.store.putRandom('chunked', CHUNK_BYTES + 5);
  await ensure(cache, f, good);
  await ensure(cache, f, bad);
  await ensure(cache, f, part, 1);
  assert.deepEqual(await cache.verify({ signal: f.signal }), { blobs: 3, bytes: 305_005, corrupt: [] });
  f.damage(bad, (bytes) => {
    bytes[200_000]! ^= 1;
  });
  assert.deepEqual(await cache.verify({ signal: f.signal }), {
    blobs: 3,
    bytes: 305_005,
    corrupt: [bad.name],
  });
  assert.equal(cache.has(bad), false);
  assert.equal(existsSync(f.path(bad)), false);
  assert.equal(cache.stats().corrupt, 1);
  await assert.rejects(cache.verify({ signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});
