import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { CHUNK_BYTES } from '../../src/cache/chunks.ts';
import { orderPath } from '../../src/cache/order-file.ts';
import { surplus } from '../../src/cache/recovery.ts';
import { waitFor } from '../support/wait-for.ts';
import { ensure, type Fixture, fixture, lockDouble, readLocal } from './fixture.ts';

const crash = new URL('./crash-child.js', import.meta.url);

/** Stores `names` one after the other, 100 bytes each, and closes the cache. */
async function filled(f: Fixture, names: readonly string[]): Promise<void> {
  const cache = await f.open();
  for (const name of names) await ensure(cache, f, f.store.putRandom(name, 100));
  await cache.close();
}

test('after a restart the content is there, verified at its first use and not fetched again', async (t) => {
  const f = fixture(t);
  const before = await f.open();
  const small = f.store.putRandom('small', 4096);
  const large = f.store.putRandom('large', CHUNK_BYTES + 10);
  await ensure(before, f, small);
  await ensure(before, f, large, 1);
  await before.close();
  const cache = await f.open();
  assert.deepEqual([cache.has(small), cache.has(large, 0), cache.has(large, 1)], [true, false, true]);
  const { entries, bytes } = cache.stats();
  assert.deepEqual({ entries, bytes }, { entries: 2, bytes: 4106 });
  assert.deepEqual(readLocal(f, small, await ensure(cache, f, small)), f.store.content('small'));
  const tail = readLocal(f, large, await ensure(cache, f, large, 1), 1);
  assert.deepEqual(tail, f.store.content('large').subarray(CHUNK_BYTES));
  assert.equal(f.store.requests.length, 2);
  assert.deepEqual([cache.stats().hits, cache.stats().misses], [2, 0]);
});

test('the order of eviction outlives a restart', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const versions = ['a', 'b', 'c', 'd'].map((name) => f.store.putRandom(name, 100));
  for (const version of versions) await ensure(cache, f, version);
  await ensure(cache, f, versions[0]!);
  cache.show(versions[1]!, 'past');
  await cache.close();
  const again = await f.open({ limitBytes: 400 });
  await ensure(again, f, f.store.putRandom('e', 200));
  assert.deepEqual(
    versions.map((version) => again.has(version)),
    [true, true, false, false],
  );
});

test('the order is written while the cache is open, if there is anything new in it', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  await f.clock.advance(60_000);
  await ensure(cache, f, f.store.putRandom('a', 100));
  assert.equal(existsSync(orderPath(f.directory)), false);
  await f.clock.advance(60_000);
  await waitFor('the order', () => existsSync(orderPath(f.directory)));
});

test('what is not in the order file is the oldest, by its age', async (t) => {
  const f = fixture(t);
  await filled(f, ['x']);
  const cache = await f.open();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => f.store.putRandom(name, 100));
  for (const version of [a!, b!, c!]) await ensure(cache, f, version);
  utimesSync(f.path(b!), 1, 1);
  utimesSync(f.path(c!), 2, 2);
  utimesSync(f.path(a!), 3, 3);
  // The process was killed, so the file has only what the earlier close() wrote.
  const again = await f.open({ lock: lockDouble(), limitBytes: 300 });
  assert.deepEqual(
    [a!, b!, c!].map((version) => again.has(version)),
    [true, false, true],
  );
  assert.equal(again.stats().entries, 3);
});

test('a damaged order file costs the order and nothing else', async (t) => {
  const damages: readonly ((path: string) => void)[] = [
    (path) => truncateSync(path, 20),
    (path) => truncateSync(path, 0),
    (path) => appendFileSync(path, 'x'),
    (path) => writeFileSync(path, readFileSync(path, 'latin1').replace('hidden', 'kept')),
    (path) => writeFileSync(path, 'something else'),
  ];
  for (const damage of damages) {
    const f = fixture(t);
    await filled(f, ['a', 'b']);
    damage(orderPath(f.directory));
    const cache = await f.open();
    assert.equal(cache.stats().entries, 2);
    assert.equal(f.log.lines.filter(({ level }) => level === 'warn').length, 1);
  }
});

test('temporary files of a killed process are removed', async (t) => {
  const f = fixture(t);
  await filled(f, ['a']);
  const shard = dirname(f.path(f.store.put('a', f.store.content('a'))));
  writeFileSync(`${shard}/tmp-123-4`, 'half');
  mkdirSync(`${shard}/tmp-123-5`);
  const cache = await f.open();
  assert.equal(f.files().length, 1);
  assert.equal(existsSync(`${shard}/tmp-123-5`), false);
  assert.equal(cache.stats().entries, 1);
});

test('foreign files are left alone, not counted, and reported once', async (t) => {
  const f = fixture(t);
  await filled(f, ['a']);
  writeFileSync(`${f.directory}/generation`, 'another part of the program');
  writeFileSync(`${f.directory}/blobs/README`, 'hello');
  mkdirSync(`${f.directory}/blobs/lost+found`);
  mkdirSync(`${f.directory}/blobs/zz`);
  mkdirSync(`${f.directory}/blobs/00`, { recursive: true });
  writeFileSync(`${f.directory}/blobs/00/note.txt`, 'hello');
  // A directory other than the blob's; the blob's name differs in each fixture.
  const unused = dirname(f.path(f.store.put('a', f.store.content('a')))).endsWith('/01') ? '02' : '01';
  symlinkSync('/', `${f.directory}/blobs/${unused}`);
  const before = f.log.lines.length;
  const cache = await f.open();
  assert.equal(cache.stats().entries, 1);
  for (const path of ['generation', 'blobs/README', 'blobs/lost+found', 'blobs/zz', 'blobs/00/note.txt']) {
    assert.ok(existsSync(`${f.directory}/${path}`), path);
  }
  const warnings = f.log.lines.slice(before).filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ fields }) => fields.entries),
    [5],
  );
});

test('what has the name of a blob and cannot be one is removed at the start', async (t) => {
  const f = fixture(t);
  await filled(f, ['cut', 'directory', 'link']);
  const path = (name: string): string => f.path(f.store.put(name, f.store.content(name)));
  truncateSync(path('cut'), 50);
  rmSync(path('directory'));
  mkdirSync(`${path('directory')}/with/content`, { recursive: true });
  rmSync(path('link'));
  symlinkSync('/etc', path('link'));
  const cache = await f.open();
  const { entries, bytes, corrupt } = cache.stats();
  assert.deepEqual({ entries, bytes, corrupt }, { entries: 0, bytes: 0, corrupt: 3 });
  for (const name of ['cut', 'directory', 'link']) assert.equal(existsSync(path(name)), false);
  assert.ok(existsSync('/etc/passwd'));
});

test('a smaller limit holds from the start: what was not shown goes first, then the largest of what was', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const sizes = { hidden: 100, small: 200, large: 500, past: 100 };
  const versions = Object.entries(sizes).map(([name, size]) => f.store.putRandom(name, size));
  for (const version of versions) {
    if (version.path !== 'hidden') cache.show(version, version.path === 'past' ? 'past' : 'within');
    await ensure(cache, f, version);
  }
  await cache.close();
  const kept = async (limitBytes: number): Promise<string[]> => {
    const again = await f.open({ limitBytes });
    const names = versions.filter((version) => again.has(version)).map(({ path }) => path);
    assert.equal(f.files().length, names.length);
    for (const version of versions) if (version.path !== 'hidden') again.show(version, 'within');
    await again.close();
    return names;
  };
  assert.deepEqual(await kept(800), ['small', 'large', 'past']);
  assert.deepEqual(await kept(400), ['small', 'past']);
  assert.deepEqual(await kept(50), []);
});

test('which blobs are evicted for a limit follows from rank and size', () => {
  const blobs = (['hidden', 'past', 'kept', 'kept'] as const).map((rank, i) => ({
    key: `${i}`,
    rank,
    bytes: 100 * (i + 1),
    fileBytes: 0,
  }));
  const gone = (limit: number): string[] => surplus(blobs, limit).map(({ key }) => key);
  assert.deepEqual(gone(1000), []);
  assert.deepEqual(gone(999), ['0']);
  assert.deepEqual(gone(700), ['0', '1']);
  assert.deepEqual(gone(699), ['0', '1', '3']);
  assert.deepEqual(gone(0), ['0', '1', '3', '2']);
});

for (const [size, call] of [
  [4096, 'renameSync'],
  [300_000, 'rename'],
] as const) {
  test(`a process killed between writing ${size} bytes and renaming them leaves nothing that counts`, async (t) => {
    const f = fixture(t);
    const child = spawnSync(process.execPath, [crash.pathname, f.directory, `${size}`, call]);
    assert.equal(child.signal, 'SIGKILL', child.stderr.toString());
    assert.equal(f.files().length, 2);
    assert.equal(f.files().filter((path) => path.includes('tmp-')).length, 1);
    const cache = await f.open();
    assert.equal(f.files().length, 1);
    const { entries, bytes, corrupt } = cache.stats();
    assert.deepEqual({ entries, bytes, corrupt }, { entries: 1, bytes: size, corrupt: 0 });
    assert.deepEqual((await cache.verify({ signal: f.signal })).corrupt, []);
  });
}
