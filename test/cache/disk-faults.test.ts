import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ContentVersion } from '../../src/base/content-version.ts';
import type { ContentCache, Located } from '../../src/cache/content-cache.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import { ensure, type Fixture, fixture, readLocal, readMemory } from './fixture.ts';

const skip = mountCallImpossible;
const skipAsRoot = process.geteuid?.() === 0 ? 'root may write everywhere' : false;

/** A cache on a filesystem of its own, which is unmounted when the test ends. */
function smallDisk(test: TestContext, options: string): Fixture & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'dagmount-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'dagmount-test', root]);
  const directory = join(root, 'cache');
  const f = fixture(test, directory);
  let mounted = true;
  const unmount = (): void => {
    if (!mounted) return;
    mounted = false;
    execFileSync('umount', ['-l', root]);
    rmSync(root, { recursive: true });
  };
  test.after(unmount);
  // If a test hangs, the runner abandons it without running its hooks.
  process.once('exit', unmount);
  return Object.assign(f, { root });
}

async function ensureAll(
  cache: ContentCache,
  f: Fixture,
  versions: readonly ContentVersion[],
): Promise<Map<string, Located>> {
  const located = new Map<string, Located>();
  for (const version of versions) located.set(version.path, await ensure(cache, f, version));
  return located;
}

for (const size of [40_000, 400_000]) {
  test(`a full disk never fails a read of ${size} bytes: it goes through, and is kept again once there is room`, {
    skip,
  }, async (t) => {
    const f = smallDisk(t, 'size=2m');
    const cache = await f.open();
    writeFileSync(join(f.root, 'filler'), Buffer.alloc(statfsFree(f.root)));
    const version = f.store.putRandom('a', size);
    assert.deepEqual(readMemory(await ensure(cache, f, version)), f.store.content('a'));
    assert.deepEqual(cache.stats().degraded, ['cache-full']);
    assert.equal(cache.stats().bytes, 0);
    assert.equal(cache.stats().passedThrough, 1);
    assert.deepEqual(f.files(), []);
    rmSync(join(f.root, 'filler'));
    assert.equal((await ensure(cache, f, version)).kind, 'memory', 'it is not tried at every read');
    await f.clock.advance(5_000);
    assert.deepEqual(readLocal(f, version, await ensure(cache, f, version)), f.store.content('a'));
    assert.deepEqual(cache.stats().degraded, []);
    assert.deepEqual(
      f.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.code),
      ['cache-full'],
    );
  });
}

test('on a disk that is smaller than the limit, what nobody needs goes for what is shown', {
  skip,
}, async (t) => {
  const f = smallDisk(t, 'size=2m');
  const cache = await f.open();
  const old = Array.from({ length: 16 }, (_, i) => f.store.putRandom(`old-${i}`, 110_000));
  await ensureAll(cache, f, old);
  const shown = Array.from({ length: 8 }, (_, i) => f.store.putRandom(`shown-${i}`, 110_000));
  for (const version of shown) cache.show(version, 'within');
  for (const { kind } of (await ensureAll(cache, f, shown)).values()) assert.equal(kind, 'local');
  assert.deepEqual(cache.stats().degraded, []);
  assert.ok(cache.stats().evictions > 0);
  assert.equal(cache.stats().bytes, cache.stats().entries * 110_000);
});

test('a disk without inodes is a full one', { skip }, async (t) => {
  const f = smallDisk(t, 'size=8m,nr_inodes=12');
  const cache = await f.open();
  const versions = Array.from({ length: 20 }, (_, i) => f.store.putRandom(`a-${i}`, 100));
  for (const version of versions) cache.show(version, 'within');
  const located = await ensureAll(cache, f, versions);
  const through = [...located.values()].filter(({ kind }) => kind === 'memory');
  assert.ok(through.length > 0 && through.length < versions.length);
  assert.deepEqual(cache.stats().degraded, ['cache-full']);
});

test('a disk that became read-only serves what it has, and the rest goes through', { skip }, async (t) => {
  const f = smallDisk(t, 'size=4m');
  const cache = await f.open({ limitBytes: 100_000 });
  const known = f.store.putRandom('known', 60_000);
  await ensure(cache, f, known);
  execFileSync('mount', ['-o', 'remount,ro', f.root]);
  const missing = f.store.putRandom('missing', 20_000);
  assert.deepEqual(readMemory(await ensure(cache, f, missing)), f.store.content('missing'));
  assert.deepEqual(cache.stats().degraded, ['cache-unwritable']);
  assert.deepEqual(readLocal(f, known, await ensure(cache, f, known)), f.store.content('known'));
  // The cache cannot remove what it would have to evict for this object; it keeps the limit nevertheless.
  await f.clock.advance(5_000);
  assert.equal((await ensure(cache, f, f.store.putRandom('more', 60_000))).kind, 'memory');
  assert.equal(cache.has(known), true);
  execFileSync('mount', ['-o', 'remount,rw', f.root]);
  await f.clock.advance(5_000);
  assert.equal((await ensure(cache, f, missing)).kind, 'local');
  assert.deepEqual(cache.stats().degraded, []);
});

test('closing on a disk that takes nothing is no failure', { skip }, async (t) => {
  const f = smallDisk(t, 'size=4m');
  const cache = await f.open();
  await ensure(cache, f, f.store.putRandom('a', 1000));
  execFileSync('mount', ['-o', 'remount,ro', f.root]);
  await cache.close();
  await assert.rejects(f.open({ directory: join(f.root, 'other', 'v1', 'id') }), {
    name: 'CacheError',
    code: 'cache-unwritable',
  });
  execFileSync('mount', ['-o', 'remount,rw', f.root]);
});

test('a directory that this user may no longer write to lets reads through', {
  skip: skipAsRoot,
}, async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  chmodSync(join(f.directory, 'blobs'), 0o500);
  const version = f.store.putRandom('a', 1000);
  assert.equal((await ensure(cache, f, version)).kind, 'memory');
  assert.deepEqual(cache.stats().degraded, ['cache-unwritable']);
  chmodSync(join(f.directory, 'blobs'), 0o700);
});

test('a place in the cache that cannot be written says so, and takes content once it can', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 1000);
  const shard = join(f.directory, 'blobs', version.name.slice(0, 2));
  writeFileSync(shard, 'a file where a directory belongs');
  assert.equal((await ensure(cache, f, version)).kind, 'memory');
  assert.deepEqual(cache.stats().degraded, ['cache-unwritable']);
  rmSync(shard);
  mkdirSync(shard);
  await f.clock.advance(5_000);
  assert.equal((await ensure(cache, f, version)).kind, 'local');
  assert.deepEqual(cache.stats().degraded, []);
});

function statfsFree(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

for (const [what, spoil] of [
  ['is removed', () => undefined],
  ['is a file', (path: string) => writeFileSync(path, 'of somebody else')],
] as const) {
  test(`blobs are written though the directory in which the first was begun ${what}`, async (t) => {
    const f = fixture(t);
    const cache = await f.open();
    const versions = Array.from({ length: 40 }, (_, index) => f.store.putRandom(`${index}`, 1_000));
    const [first, ...others] = versions as [ContentVersion, ...ContentVersion[]];
    await ensure(cache, f, first);
    const shard = dirname(f.path(first));
    rmSync(shard, { recursive: true });
    spoil(shard);
    for (const version of others.filter((version) => dirname(f.path(version)) !== shard)) {
      assert.deepEqual(readLocal(f, version, await ensure(cache, f, version)), f.store.content(version.path));
    }
    assert.deepEqual(cache.stats().degraded, []);
  });
}
