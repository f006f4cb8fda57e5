import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { inodeGeneration } from '../../src/session/kernel/inode-generation.ts';
import { FUSE_EXPORT_SUPPORT, FUSE_HAS_RESEND } from '../../src/wire/index.ts';
import { handlesImpossible } from '../support/privileges.ts';
import { Asked } from './asked.ts';
import { type Files, LiveSession, unmountable } from './live-session.ts';

const ENOENT = -2;
const ESTALE = -116;

describe('a lookup by node id, as the kernel makes it for a file handle', () => {
  test('of "." is the node itself, and of ".." the directory that holds it', () => {
    const asked = new Asked({ 'pkg/deep/a.py': 'x' });
    for (const path of ['', 'pkg', 'pkg/deep', 'pkg/deep/a.py']) {
      assert.equal(asked.lookup(asked.node(path), '.'), asked.node(path), path);
    }
    assert.equal(asked.lookup(asked.node('pkg/deep/a.py'), '..'), asked.node('pkg/deep'));
    assert.equal(asked.lookup(asked.node('pkg/deep'), '..'), asked.node('pkg'));
    assert.equal(asked.lookup(asked.node('pkg'), '..'), 1);
    assert.equal(asked.lookup(1, '..'), 1);
  });

  test('does not stand in the way of names that begin with a dot', () => {
    const asked = new Asked({ '.airflowignore': 'x', '...': 'y', '..a': 'z' });
    for (const name of ['.airflowignore', '...', '..a']) {
      assert.equal(asked.lookup(1, name), asked.node(name));
    }
    assert.equal(asked.lookup(1, '.b'), 0);
  });

  test('of what was replaced or removed is ESTALE, and of what stays is what it was', () => {
    const asked = new Asked({ 'a.py': 'x', 'gone/b.py': 'y', 'stays/c.py': 'z' });
    const [replaced, gone, stays] = ['a.py', 'gone', 'stays/c.py'].map((path) => asked.node(path)) as [
      number,
      number,
      number,
    ];
    asked.show({ 'a.py': 'newer', 'stays/c.py': 'z' }, 4);
    assert.equal(asked.lookup(replaced, '.'), ESTALE);
    assert.equal(asked.lookup(gone, '.'), ESTALE);
    assert.equal(asked.lookup(gone, '..'), 1, 'a process stands in it');
    assert.equal(asked.lookup(gone, 'b.py'), ENOENT);
    assert.equal(asked.lookup(stays, '.'), stays);
    assert.equal(asked.lookup(4711, '.'), ESTALE);
    assert.equal(asked.lookup(4711, '..'), ESTALE);
  });
});

describe('the inode generation of a connection', () => {
  test('is that of the mount, with whatever else was agreed on', () => {
    const mine = inodeGeneration(7n, { flags: FUSE_EXPORT_SUPPORT });
    assert.equal(inodeGeneration(7n, { flags: FUSE_EXPORT_SUPPORT | FUSE_HAS_RESEND }), mine);
    assert.equal(inodeGeneration(7n, undefined), mine);
    assert.notEqual(inodeGeneration(8n, { flags: FUSE_EXPORT_SUPPORT }), mine);
    assert.ok(mine >= 0 && mine < 2 ** 32);
  });

  test('is 0 where the connection began without file handles', () => {
    assert.equal(inodeGeneration(7n, { flags: FUSE_HAS_RESEND }), 0);
  });
});

const HANDLES = `
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def handle(path):
    # file_handle: handle_bytes, handle_type, and room
    made = ctypes.create_string_buffer(b'\\x80\\0\\0\\0', 8 + 128)
    assert libc.name_to_handle_at(-100, path.encode(), made, ctypes.byref(ctypes.c_int()), 0) == 0, path
    return made.raw.hex()
def read(handle):
    root = os.open('.', os.O_RDONLY)
    fd = libc.open_by_handle_at(root, bytes.fromhex(handle), os.O_RDONLY)
    if fd < 0: return errno.errorcode[ctypes.get_errno()]
    return ','.join(sorted(os.listdir(fd))) if os.path.isdir(f'/proc/self/fd/{fd}') else os.read(fd, 100).decode()
`;

describe('a file handle', { skip: unmountable() || handlesImpossible, timeout: 150_000 }, () => {
  let session: LiveSession;
  afterEach(() => session.close());
  const files: Files = { 'a.py': 'one', 'pkg/deep/b.py': 'two', 'gone/c.py': 'three' };
  const paths = ['.', 'a.py', 'pkg', 'pkg/deep', 'pkg/deep/b.py', 'gone'];

  const handles = async (): Promise<string[]> =>
    (await session.python(`${HANDLES}\nfor path in ${JSON.stringify(paths)}: print(handle(path))`))
      .trim()
      .split('\n');
  const read = async (given: readonly string[]): Promise<string[]> =>
    (await session.python(`${HANDLES}\nfor each in ${JSON.stringify(given)}: print(read(each))`))
      .trim()
      .split('\n');

  // A new mount has nothing in the kernel's caches. Dropping the caches instead would affect the whole host.
  test('opens what it named, also where the kernel holds nothing of it any more', async () => {
    session = await LiveSession.start(files, 'kernel');
    const given = await handles();
    const named = ['a.py,gone,pkg', 'one', 'deep', 'b.py', 'two', 'c.py'];
    assert.deepEqual(await read(given), named);
    await session.close();
    session = await LiveSession.start(files, 'kernel');
    assert.deepEqual(await read(given), named);
    // The handles of these paths are the same as before.
    assert.deepEqual(await handles(), given);
  });

  test('of what a publication replaces or removes is ESTALE, and of what stays opens it', async () => {
    session = await LiveSession.start(files, 'kernel');
    const given = await handles();
    await session.publish({ 'a.py': 'other', 'pkg/deep/b.py': 'two' });
    assert.deepEqual(await read(given), ['a.py,pkg', 'ESTALE', 'deep', 'b.py', 'two', 'ESTALE']);
  });

  test('of a mount whose node ids have begun anew is ESTALE, and opens no other file', async () => {
    session = await LiveSession.start(files, 'kernel');
    const given = await handles();
    await session.close();
    session = await LiveSession.start({ 'other.py': 'wrong', 'x/y/z.py': 'wrong' }, 'kernel', undefined, {
      salt: 8n,
    });
    assert.deepEqual(await read(given.slice(1)), Array(5).fill('ESTALE'));
  });
});
