import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HeldDirectory, MOST_BYTES } from '../../src/host/held-directory.ts';
import { HostError } from '../../src/host/host-error.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const uid = process.geteuid?.() ?? 0;
const notRoot = uid === 0 ? false : 'needs root, to make what another user owns';
const OTHER = 65534;

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error.code;
  }
  return 'none';
}

function makeFifo(path: string): void {
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
}

describe('a directory that is held', () => {
  test('gives what a regular file holds, up to 64 KiB', async (t) => {
    const directory = await temporaryDirectory(t);
    writeFileSync(join(directory, 'small'), 'text');
    writeFileSync(join(directory, 'full'), Buffer.alloc(MOST_BYTES, 'x'));
    writeFileSync(join(directory, 'over'), Buffer.alloc(MOST_BYTES + 1));
    const held = HeldDirectory.open(directory, uid);
    assert.equal(held.read('small').toString(), 'text');
    assert.equal(held.read('full').length, MOST_BYTES);
    assert.equal(
      codeOf(() => held.read('over')),
      'too-large',
    );
    assert.equal(
      codeOf(() => held.read('missing')),
      'missing',
    );
    held.close();
  });

  test('waits for no FIFO, reads no device, and follows no link', async (t) => {
    const directory = await temporaryDirectory(t);
    makeFifo(join(directory, 'fifo'));
    symlinkSync('/dev/zero', join(directory, 'zero'));
    symlinkSync('/etc/hostname', join(directory, 'link'));
    mkdirSync(join(directory, 'directory'));
    const held = HeldDirectory.open(directory, uid);
    for (const name of ['fifo', 'zero', 'link', 'directory']) {
      assert.equal(
        codeOf(() => held.read(name)),
        'no-file',
        name,
      );
    }
    held.close();
  });

  test('is refused where it is a link, is no directory, or others may write to it', async (t) => {
    const directory = await temporaryDirectory(t);
    const real = join(directory, 'real');
    mkdirSync(real);
    symlinkSync(real, join(directory, 'link'));
    writeFileSync(join(directory, 'file'), '');
    mkdirSync(join(directory, 'open'));
    chmodSync(join(directory, 'open'), 0o770);
    const opened = (name: string): string =>
      codeOf(() => HeldDirectory.open(join(directory, name), uid).close());
    assert.deepEqual(['real', 'link', 'file', 'open', 'missing', 'file/x'].map(opened), [
      'none',
      'no-directory',
      'no-directory',
      'open-to-others',
      'missing',
      'no-directory',
    ]);
  });

  test('stays the one that was looked at, whatever is put in its place', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const name of ['one', 'victim']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'state.json'), name);
    }
    const held = HeldDirectory.open(join(directory, 'one'), uid);
    renameSync(join(directory, 'one'), join(directory, 'moved'));
    symlinkSync('victim', join(directory, 'one'));
    assert.equal(held.read('state.json').toString(), 'one');
    held.remove('state.json');
    assert.deepEqual(readdirSync(join(directory, 'moved')), []);
    assert.deepEqual(readdirSync(join(directory, 'victim')), ['state.json']);
    held.close();
  });

  test('removes a link and not what it leads to, and a directory in it only where that is empty', async (t) => {
    const directory = await temporaryDirectory(t);
    writeFileSync(join(directory, 'file'), '');
    for (const name of ['held', 'held/empty', 'held/full', 'held/full/x']) mkdirSync(join(directory, name));
    symlinkSync(join(directory, 'file'), join(directory, 'held/link'));
    const held = HeldDirectory.open(join(directory, 'held'), uid);
    for (const name of ['link', 'missing']) held.remove(name);
    for (const name of ['empty', 'full', 'missing']) held.removeDirectory(name);
    assert.deepEqual(readdirSync(join(directory, 'held')), ['full']);
    assert.ok(existsSync(join(directory, 'file')));
    for (const name of ['..', '.', '', 'full/x']) assert.throws(() => held.removeDirectory(name), TypeError);
    held.close();
  });

  test('tells no more names than it was asked for', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const name of ['a', 'b', 'c']) writeFileSync(join(directory, name), '');
    const held = HeldDirectory.open(directory, uid);
    assert.deepEqual([held.names(3).names.length, held.names(3).all], [3, true]);
    assert.deepEqual([held.names(2).names.length, held.names(2).all], [2, false]);
    held.close();
  });

  test('uses nothing that another user owns, also by a hard link', { skip: notRoot }, async (t) => {
    const directory = await temporaryDirectory(t);
    writeFileSync(join(directory, 'theirs'), 'x');
    mkdirSync(join(directory, 'sub'));
    mkdirSync(join(directory, 'other'));
    for (const name of ['other', 'sub']) chownSync(join(directory, name), OTHER, OTHER);
    linkSync(join(directory, 'theirs'), join(directory, 'other/state.json'));
    assert.equal(
      codeOf(() => HeldDirectory.open(join(directory, 'other'), uid)),
      'other-owner',
    );
    const held = HeldDirectory.open(join(directory, 'other'), OTHER);
    assert.equal(
      codeOf(() => held.read('state.json')),
      'other-owner',
    );
    held.close();
    const own = HeldDirectory.open(directory, uid);
    assert.equal(
      codeOf(() => own.directory('sub')),
      'other-owner',
    );
    own.close();
  });
});
