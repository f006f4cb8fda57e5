import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { ContentVersion } from '../../src/base/content-version.ts';
import { ensure, type Fixture, fixture, readLocal, readMemory } from './fixture.ts';

interface Alteration {
  readonly of: string;
  readonly alter: (f: Fixture, version: ContentVersion, other: ContentVersion) => void;
}

const alterations: readonly Alteration[] = [
  {
    of: 'one flipped bit',
    alter: (f, version) =>
      f.damage(version, (bytes) => {
        bytes[version.size >> 1]! ^= 0x10;
      }),
  },
  {
    of: 'one flipped bit and its old mtime',
    alter: (f, version) => {
      const { atime, mtime } = lstatSync(f.path(version));
      f.damage(version, (bytes) => {
        bytes[0]! ^= 1;
      });
      utimesSync(f.path(version), atime, mtime);
    },
  },
  { of: 'a truncated file', alter: (f, version) => truncateSync(f.path(version), version.size >> 1) },
  { of: 'an empty file, as after a power cut', alter: (f, version) => truncateSync(f.path(version), 0) },
  { of: 'zeros, as after a power cut', alter: (f, version) => f.damage(version, (bytes) => bytes.fill(0)) },
  { of: 'a file that grew', alter: (f, version) => appendFileSync(f.path(version), 'more') },
  { of: 'a huge file', alter: (f, version) => truncateSync(f.path(version), 1024 ** 4) },
  { of: 'a file that is gone', alter: (f, version) => rmSync(f.path(version)) },
  {
    of: 'a shard that is gone',
    alter: (f, version) => rmSync(dirname(f.path(version)), { recursive: true }),
  },
  {
    of: 'a directory in its place',
    alter: (f, version) => {
      rmSync(f.path(version));
      mkdirSync(`${f.path(version)}/with/something`, { recursive: true });
      writeFileSync(`${f.path(version)}/with/something/in-it`, 'x');
    },
  },
  {
    of: 'a symlink to the very content',
    alter: (f, version) => {
      renameSync(f.path(version), `${f.directory}/elsewhere`);
      symlinkSync(`${f.directory}/elsewhere`, f.path(version));
    },
  },
  {
    of: 'a symlink to itself',
    alter: (f, version) => {
      rmSync(f.path(version));
      symlinkSync(f.path(version), f.path(version));
    },
  },
  {
    of: 'a FIFO in its place',
    alter: (f, version) => {
      rmSync(f.path(version));
      execFileSync('mkfifo', [f.path(version)]);
    },
  },
  {
    of: 'the whole blob of another version',
    alter: (f, version, other) => copyFileSync(f.path(other), f.path(version)),
  },
];

/** The cache reads small blobs synchronously, and large ones asynchronously. */
const sizes = [4096, 300_000];

for (const { of, alter } of alterations) {
  for (const size of sizes) {
    for (const restart of [false, true]) {
      const when = restart ? 'found after a restart' : 'found at its next use';
      test(`${of} (${size} bytes), ${when}, is not served; it is counted and fetched again`, async (t) => {
        const f = fixture(t);
        const first = await f.open();
        const version = f.store.putRandom('dags/a.py', size);
        const other = f.store.putRandom('dags/b.py', size);
        const before = await ensure(first, f, version);
        await ensure(first, f, other);
        if (restart) await first.close();
        alter(f, version, other);
        const cache = restart ? await f.open() : first;
        const located = await ensure(cache, f, version);
        assert.deepEqual(readLocal(f, version, located), f.store.content('dags/a.py'));
        assert.notDeepEqual(located, before);
        assert.ok(lstatSync(f.path(version)).isFile());
        assert.equal(f.store.requests.length, 3);
        const gone = restart && of.endsWith('is gone');
        assert.equal(cache.stats().corrupt >= 1, !gone);
        if (of.includes('symlink to the very')) assert.ok(existsSync(`${f.directory}/elsewhere`));
        await ensure(cache, f, version);
        assert.equal(f.store.requests.length, 3);
      });
    }
  }
}

test('a blob that was touched and is whole is verified again and not fetched', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 4096);
  const before = await ensure(cache, f, version);
  chmodSync(f.path(version), 0o640);
  const after = await ensure(cache, f, version);
  assert.notDeepEqual(after, before);
  assert.deepEqual(readLocal(f, version, after), f.store.content('a'));
  assert.equal(f.store.requests.length, 1);
  assert.equal(cache.stats().corrupt, 0);
});

test('a bad blob that the store cannot replace is an error and not content', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 4096);
  await ensure(cache, f, version);
  f.damage(version, (bytes) => bytes.fill(1));
  f.store.putRandom('a', 4096);
  await assert.rejects(ensure(cache, f, version), { code: 'changed' });
  assert.equal(cache.has(version), false);
  assert.equal(existsSync(f.path(version)), false);
});

test('a directory that stands where a blob is to be stored makes way', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 4096);
  mkdirSync(`${f.path(version)}/full`, { recursive: true });
  assert.deepEqual(readLocal(f, version, await ensure(cache, f, version)), f.store.content('a'));
});

test('a shard that is a link to elsewhere is not written to: the content goes through', async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 4096);
  const shard = dirname(f.path(version));
  mkdirSync(`${f.directory}/elsewhere`);
  symlinkSync(`${f.directory}/elsewhere`, shard);
  assert.deepEqual(readMemory(await ensure(cache, f, version)), f.store.content('a'));
  assert.deepEqual(cache.stats().degraded, ['cache-unwritable']);
  assert.equal(existsSync(`${f.directory}/elsewhere/${version.name.slice(2)}`), false);
});
