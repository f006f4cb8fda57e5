import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CacheError } from '../../src/cache/cache-error.ts';
import { flockWith, lockSoon } from '../../src/cache/directory-lock.ts';
import { fingerprintOf } from '../../src/cache/verification.ts';
import { BlobReader } from '../../src/session/blob-reader.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ensure, fixture } from './fixture.ts';

test('missing directories are made for this user alone', async (t) => {
  const f = fixture(t);
  await f.open();
  for (const path of [dirname(f.directory), f.directory, join(f.directory, 'blobs')]) {
    assert.equal(statSync(path).mode & 0o7777, 0o700);
  }
});

test('a directory that others may write to is refused, and so is the one above it', async (t) => {
  for (const mode of [0o770, 0o702, 0o777]) {
    for (const above of [false, true]) {
      const f = fixture(t);
      mkdirSync(f.directory, { recursive: true, mode: 0o700 });
      chmodSync(above ? dirname(f.directory) : f.directory, mode);
      await assert.rejects(f.open(), { name: 'CacheError', code: 'cache-unsafe' });
    }
  }
});

test('a directory of another user is refused', async (t) => {
  const f = fixture(t);
  mkdirSync(f.directory, { recursive: true, mode: 0o700 });
  await assert.rejects(f.open({ uid: 4242 }), (error: CacheError) => {
    assert.equal(error.code, 'cache-unsafe');
    assert.match(error.message, /belongs to another user \(uid \d+, this process has 4242\)/);
    assert.notEqual(error.hint, '');
    return true;
  });
});

test('a link or a file in the place of a directory is refused', async (t) => {
  const linked = fixture(t);
  mkdirSync(dirname(linked.directory), { recursive: true, mode: 0o700 });
  mkdirSync(`${linked.directory}-elsewhere`, { mode: 0o700 });
  symlinkSync(`${linked.directory}-elsewhere`, linked.directory);
  await assert.rejects(linked.open(), { name: 'CacheError', code: 'cache-unsafe' });
  const file = fixture(t);
  mkdirSync(dirname(file.directory), { recursive: true, mode: 0o700 });
  writeFileSync(file.directory, '');
  await assert.rejects(file.open(), { name: 'CacheError', code: 'cache-unwritable' });
});

test('the lock is given back where the rest of the opening fails', async (t) => {
  const f = fixture(t);
  let released = 0;
  const lock = () => {
    rmSync(join(f.directory, 'blobs'), { recursive: true });
    writeFileSync(join(f.directory, 'blobs'), 'what nobody expects after the check');
    return {
      release: () => {
        released += 1;
      },
    };
  };
  await assert.rejects(f.open({ lock }), { name: 'CacheError', code: 'cache-unwritable' });
  assert.equal(released, 1);
});

test('the lock file carries who holds it, and stays when the lock is given back', async (t) => {
  const f = fixture(t);
  mkdirSync(f.directory, { recursive: true, mode: 0o700 });
  const path = join(f.directory, 'lock');
  let fd = -1;
  const lock = flockWith((file) => {
    fd = openSync(file, 'w+');
    return fd;
  })(path);
  const held = flockWith(() => -11);
  assert.throws(
    () => held(path),
    (error: CacheError) => {
      assert.ok(error instanceof CacheError);
      assert.equal(error.code, 'cache-in-use');
      assert.match(error.message, new RegExp(`by process ${process.pid}\\.$`));
      return true;
    },
  );
  lock.release();
  assert.throws(() => closeSync(fd), { code: 'EBADF' });
  assert.ok(existsSync(path));
});

test('a lock is taken once the process that was killed, or its holder, has left it', async () => {
  const clock = new FakeClock();
  let tries = 0;
  const lock = flockWith(() => -11);
  const { signal } = new AbortController();
  const soonFree = async () => {
    tries += 1;
    return tries < 4 ? lock('/somewhere/lock') : { release: () => undefined };
  };
  await clock.drive(lockSoon(soonFree, clock, signal));
  assert.equal(tries, 4);
  const held = lockSoon(async () => lock('/somewhere/lock'), clock, signal);
  const refused = assert.rejects(held, { code: 'cache-in-use' });
  const began = clock.now();
  await clock.drive(held.catch(() => undefined));
  await refused;
  assert.ok(clock.now() - began >= 4_000);
  const failing = async () => flockWith(() => -30)('/nowhere/lock');
  await assert.rejects(lockSoon(failing, clock, signal), { code: 'cache-unwritable' });
  const stop = new AbortController();
  const stopped = assert.rejects(
    lockSoon(async () => lock('/somewhere/lock'), clock, stop.signal),
    /stopped/,
  );
  await clock.settle();
  stop.abort(new Error('stopped'));
  await stopped;
});

test('a lock that cannot be taken for another reason is a directory that cannot be written', () => {
  const failing = flockWith(() => -30);
  assert.throws(() => failing('/nowhere/lock'), { name: 'CacheError', code: 'cache-unwritable' });
});

test('a directory that others could put another one in the place of is refused, with what mends it', async (t) => {
  for (const mode of [0o777, 0o2777, 0o702]) {
    const f = fixture(t);
    const shared = dirname(dirname(f.directory));
    mkdirSync(shared, { recursive: true, mode: 0o700 });
    chmodSync(shared, mode);
    await assert.rejects(f.open(), (error: CacheError) => {
      assert.equal(error.code, 'cache-unsafe');
      assert.match(error.message, new RegExp(`replaced by others: ${shared} can be written by everybody`));
      assert.match(error.hint, new RegExp(`chmod go-w ${shared}.*chmod \\+t ${shared}`));
      return true;
    });
    assert.deepEqual(readdirSync(shared), [], 'nothing was made in it');
  }
});

test('a directory in one that is open to all is taken where only owners can rename what is in that', async (t) => {
  const f = fixture(t);
  const shared = dirname(dirname(f.directory));
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  chmodSync(shared, 0o1777);
  await f.open();
});

test('a lock and blobs of another user are not used', {
  skip: process.getuid?.() === 0 ? false : 'needs root, to make what another user owns',
}, async (t) => {
  const f = fixture(t);
  const cache = await f.open();
  const version = f.store.putRandom('a', 5_000);
  const other = f.store.putRandom('b', 5_000);
  for (const each of [version, other]) await ensure(cache, f, each);
  chownSync(f.path(version), 65534, 65534);
  const blobs = new BlobReader(f.directory);
  const stampOfTheirs = fingerprintOf(statSync(f.path(version), { bigint: true }));
  assert.equal(blobs.read(version.name, undefined, stampOfTheirs, 0, Buffer.alloc(5_000)), false);
  assert.equal((await ensure(cache, f, version)).kind, 'local');
  assert.equal(statSync(f.path(version)).uid, 0, 'fetched anew');
  assert.equal(cache.stats().corrupt, 1);
  await cache.close();
  chownSync(f.path(other), 65534, 65534);
  const again = await f.open();
  assert.deepEqual([again.has(version), again.has(other), again.stats().corrupt], [true, false, 1]);
  await again.close();
  const lock = join(f.directory, 'lock');
  writeFileSync(lock, '');
  chownSync(lock, 65534, 65534);
  assert.throws(() => flockWith((path) => openSync(path, 'r+'))(lock), {
    name: 'CacheError',
    code: 'cache-unsafe',
  });
});
