import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Asked } from './asked.ts';
import { LiveSession, unmountable } from './live-session.ts';

/** A header: length, error (negative), unique 6. */
function header(length: number, error = 0): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(length, 0);
  bytes.writeInt32LE(-error, 4);
  bytes.writeUInt32LE(6, 8);
  return bytes.toString('hex');
}

function answer(body: string): string {
  const bytes = Buffer.from(body);
  return header(16 + bytes.length) + bytes.toString('hex');
}

function sizeAnswer(size: number): string {
  const body = Buffer.alloc(8);
  body.writeUInt32LE(size, 0);
  return header(24) + body.toString('hex');
}

const ERANGE = header(16, 34);
const ENODATA = header(16, 61);
const EOPNOTSUPP = header(16, 95);
const ESTALE = header(16, 116);

describe('extended attributes, byte by byte', () => {
  test('of a file are its key, its ETag and the date of the store', () => {
    const asked = new Asked({ 'pkg/ä.py': 'x' });
    const node = asked.node('pkg/ä.py');
    assert.equal(asked.get(node, 'user.dagmount.key', 100), answer('in/pkg/ä.py'));
    assert.equal(asked.get(node, 'user.dagmount.etag', 100), answer('9dd4e461268c8034f5c8564e155c67a6'));
    assert.equal(asked.get(node, 'user.dagmount.generation', 100), ENODATA);
    assert.equal(asked.get(node, 'user.dagmount.last-modified', 100), answer('2020-09-13T12:26:40.000Z'));
    assert.equal(asked.get(node, 'user.dagmount.version', 100), ENODATA);
  });

  test('of a file of a release name the pack as its key; an empty one has none', () => {
    const pack = 'ab'.repeat(32);
    const asked = new Asked({ 'a.py': 'x', 'pkg/__init__.py': '' }, { pack });
    const held = asked.node('a.py');
    assert.equal(asked.get(held, 'user.dagmount.key', 100), answer(`in/packs/${pack}`));
    assert.equal(asked.get(asked.node('pkg/__init__.py'), 'user.dagmount.key', 100), ENODATA);
    asked.show({ 'a.py': 'newer' }, 4, { pack: 'cd'.repeat(32) });
    assert.equal(asked.get(held, 'user.dagmount.key', 100), answer(`in/packs/${pack}`));
  });

  test('of the root are the generation and the source; other directories have none', () => {
    const asked = new Asked({ 'pkg/a.py': 'x' });
    assert.equal(asked.get(1, 'user.dagmount.generation', 100), answer(`3:${asked.generation.id}`));
    assert.equal(asked.get(1, 'user.dagmount.source', 100), answer('s3://b/in/'));
    assert.equal(asked.get(1, 'user.dagmount.key', 100), ENODATA);
  });

  test('are listed for nothing, so that no copy has them', () => {
    const asked = new Asked({ 'pkg/a.py': 'x' });
    for (const node of [1, asked.node('pkg'), asked.node('pkg/a.py')]) {
      assert.equal(asked.list(node, 100), answer(''));
      assert.equal(asked.list(node, 0), sizeAnswer(0));
    }
    assert.equal(asked.list(99, 100), ESTALE);
  });

  test('of a file that a publication does not change are what they were, also where its object was put again', () => {
    const asked = new Asked({ 'a.py': 'x', 'b.py': 'y' });
    const all = () =>
      ['key', 'etag', 'last-modified', 'version-id', 'generation'].map((name) =>
        asked.get(asked.node('a.py'), `user.dagmount.${name}`, 100),
      );
    const before = all();
    asked.show({ 'a.py': 'x', 'b.py': 'other' }, 4, { lastModified: 1_650_000_000_000 });
    assert.deepEqual(all(), before);
  });

  test('that the store does not tell are ENODATA', () => {
    const asked = new Asked({ 'a.py': 'x' }, { lastModified: Number.NaN });
    assert.equal(asked.get(asked.node('a.py'), 'user.dagmount.last-modified', 100), ENODATA);
  });

  test('are measured where nothing is to be written, and refused where they do not fit', () => {
    const asked = new Asked({ 'a.py': 'x' });
    const node = asked.node('a.py');
    assert.equal(asked.get(node, 'user.dagmount.key', 0), sizeAnswer('in/a.py'.length));
    assert.equal(asked.get(node, 'user.dagmount.key', 'in/a.py'.length - 1), ERANGE);
    assert.equal(asked.get(node, 'user.dagmount.key', 'in/a.py'.length), answer('in/a.py'));
  });

  test('that are not there are ENODATA in our namespace, and not supported in others', () => {
    const asked = new Asked({ 'a.py': 'x' });
    const node = asked.node('a.py');
    for (const name of ['user.', 'user.other', 'user.dagmount.', 'user.dagmount.constructor']) {
      assert.equal(asked.get(node, name, 100), ENODATA, name);
    }
    for (const name of [
      'security.capability',
      'security.selinux',
      'system.posix_acl_access',
      'system.posix_acl_default',
      'trusted.x',
      'use',
    ]) {
      assert.equal(asked.get(node, name, 100), EOPNOTSUPP, name);
    }
  });

  test('of a replaced version are still its own, as long as somebody holds it', () => {
    const asked = new Asked({ 'a.py': 'x' });
    const node = asked.node('a.py');
    asked.show({ 'a.py': 'newer' }, 4);
    assert.equal(asked.get(node, 'user.dagmount.etag', 100), answer('9dd4e461268c8034f5c8564e155c67a6'));
    assert.equal(asked.get(node, 'user.dagmount.last-modified', 100), answer('2020-09-13T12:26:40.000Z'));
    asked.tree.release([node]);
    assert.equal(asked.get(node, 'user.dagmount.etag', 100), ESTALE);
    assert.equal(asked.list(node, 100), ESTALE);
  });

  test('say "changing" from the swap until the kernel has answered', () => {
    const asked = new Asked({ 'a.py': 'x' });
    asked.show({ 'a.py': 'y' }, 4);
    assert.equal(asked.get(1, 'user.dagmount.generation', 100), answer('changing'));
    asked.tree.settled();
    assert.equal(asked.get(1, 'user.dagmount.generation', 100), answer(`4:${asked.tree.generation.id}`));
  });
});

describe('extended attributes over a mount', { skip: unmountable(), timeout: 150_000 }, () => {
  let session: LiveSession;
  afterEach(() => session.close());

  test('are what a program asks for', async () => {
    session = await LiveSession.start({ 'pkg/a.py': 'x' });
    const out = await session.python(`
import os, errno
print(os.listxattr('pkg/a.py'), os.listxattr('pkg'), os.listxattr('.'))
print(os.getxattr('pkg/a.py', 'user.dagmount.key').decode(), os.getxattr('.', 'user.dagmount.source').decode())
for name in ('user.dagmount.nothing', 'security.capability', 'system.posix_acl_access'):
    try: os.getxattr('pkg/a.py', name)
    except OSError as e: print(errno.errorcode[e.errno])`);
    assert.equal(out, '[] [] []\nin/pkg/a.py s3://test/in/\nENODATA\nENOTSUP\nENOTSUP\n');
  });

  test('are in no copy that cp -a, cp --preserve=xattr or Python makes', async () => {
    session = await LiveSession.start({ 'pkg/a.py': 'x' });
    const out = await session.python(`
import os, shutil, subprocess, tempfile
with tempfile.TemporaryDirectory() as top:
    subprocess.run(['cp', '-a', '.', f'{top}/cp'], check=True)
    subprocess.run(['cp', '-r', '--preserve=xattr', '.', f'{top}/cpx'], check=True)
    shutil.copytree('.', f'{top}/py')
    for copy in ('cp', 'cpx', 'py'):
        print(copy, *[os.listxattr(f'{top}/{copy}/{path}') for path in ('', 'pkg', 'pkg/a.py')], open(f'{top}/{copy}/pkg/a.py').read())`);
    assert.equal(out, 'cp [] [] [] x\ncpx [] [] [] x\npy [] [] [] x\n');
  });

  test('name another generation once it is published', async () => {
    session = await LiveSession.start({ 'a.py': 'x' });
    const label = () =>
      session.python("import os; print(os.getxattr('.', 'user.dagmount.generation').decode())");
    const before = await label();
    assert.match(before, /^\d+:[0-9a-f]{32}\n$/);
    await session.publish({ 'a.py': 'y' });
    const after = await label();
    assert.match(after, /^\d+:[0-9a-f]{32}\n$/);
    assert.notEqual(after, before);
  });

  test('cost ls -l no question an entry', async () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 300; i++) files[`f${i}.py`] = '';
    session = await LiveSession.start(files);
    await session.sh('ls -l > /dev/null');
    const asked = async () => {
      const { opcodes } = await session.counters();
      return (opcodes.getxattr ?? 0) + (opcodes.listxattr ?? 0);
    };
    const before = await asked();
    await session.sh('ls -l > /dev/null');
    const more = (await asked()) - before;
    assert.ok(more < 30, `${more} questions for 300 entries`);
  });
});
