import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CacheError } from '../../src/cache/cache-error.ts';
import { flockWith } from '../../src/cache/directory-lock.ts';
import { fixture } from './fixture.ts';

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
    assert.notEqual(error.mend, '');
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

test('a lock that cannot be taken for another reason is a directory that cannot be written', () => {
  const failing = flockWith(() => -30);
  assert.throws(() => failing('/nowhere/lock'), { name: 'CacheError', code: 'cache-unwritable' });
});
