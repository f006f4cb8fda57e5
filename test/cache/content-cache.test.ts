import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { blobPath } from '../../src/cache/blob-path.ts';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import type { ContentCache, Located } from '../../src/cache/content-cache.ts';
import type { ContentVersion } from '../../src/cache/content-version.ts';
import { stampOf } from '../../src/cache/stamp.ts';
import { type Fixture, fixture } from './fixture.ts';

/** What a session would read: the content, if the file has the stamp. */
function readLocal(
  { directory }: Fixture,
  version: ContentVersion,
  located: Located,
  chunk?: number,
): Uint8Array {
  assert.equal(located.kind, 'local');
  const path = blobPath(directory, version.name, chunk);
  assert.equal(stampOf(statSync(path, { bigint: true })), located.kind === 'local' && located.stamp);
  const bytes = Math.min(version.size - (chunk ?? 0) * CHUNK_BYTES, CHUNK_BYTES);
  return readFileSync(path).subarray(0, bytes);
}

function ensure(
  cache: ContentCache,
  { signal }: Fixture,
  version: ContentVersion,
  chunk?: number,
): Promise<Located> {
  return cache.ensure(version, chunk, { signal });
}

test('content is fetched by its ETag, once, and is then on disk under the stamp that was given', async (t) => {
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
