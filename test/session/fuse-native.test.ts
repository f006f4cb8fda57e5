import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { sourceInTable } from '../../src/host/mountinfo.ts';
import { mountOptions } from '../../src/session/fuse-native/mount-options.ts';
import { OpenFiles } from '../../src/session/fuse-native/open-files.ts';
import { unmountCommands } from '../../src/session/fuse-native/unmounting.ts';
import { MountError } from '../../src/session/mount-error.ts';
import { fuseNativeImpossible } from '../support/driver.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { waitFor } from '../support/wait-for.ts';
import { LiveSession, unmountable } from './live-session.ts';

const request = { target: '/x', source: 's3://b/p/', allowOther: true, replacesStale: false };

/** A program that keeps a file open across changes: it says "open", then answers each line of its standard input. */
const reading = (then: string): string => `
import os, sys, time
${then}`;

describe('the options of fuse-native', () => {
  test('carry direct_io, ro and use_ino behind the name of the source, and times as text', () => {
    const { fsname, entryTimeout, attrTimeout, timeout } = mountOptions(request);
    assert.equal(fsname, 's3://b/p/,direct_io,ro,use_ino');
    // The number 0 would count as not given, and the kernel would keep names and attributes for a second.
    assert.deepEqual([entryTimeout, attrTimeout, timeout], ['0', '0', false]);
  });

  test('let no comma or backslash of the source be an option', () => {
    const { fsname } = mountOptions({ ...request, source: 's3://b/a,suid\\,dev/' });
    assert.equal(fsname, 's3://b/a\\,suid\\\\\\,dev/,direct_io,ro,use_ino');
  });

  test('fit into the buffer of fuse-native with the longest source, all of which is escaped', () => {
    const source = sourceInTable(','.repeat(1000));
    const { fsname, subtype, entryTimeout, attrTimeout } = mountOptions({ ...request, source });
    const fields = [`fsname=${fsname}`, `subtype=${subtype}`];
    const times = [`entry_timeout=${entryTimeout}`, `attr_timeout=${attrTimeout}`];
    const joined = ['-oallow_other', 'default_permissions', ...fields, ...times].join();
    assert.ok(Buffer.byteLength(joined) < 1024, joined);
  });
});

describe('the open files of fuse-native', () => {
  const file = (nodeId: number) => ({
    nodeId,
    size: 1,
    archived: false,
    version: { name: '', path: '', etag: '', size: 1 },
  });

  test('let a node go with its last holder', () => {
    const files = new OpenFiles();
    const [one, two, other] = [files.open(file(7)), files.open(file(7)), files.open(file(8))];
    assert.equal(new Set([0, one, two, other]).size, 4);
    assert.equal(files.release(one), undefined);
    assert.equal(files.holds(7), true);
    assert.equal(files.release(two)?.nodeId, 7);
    assert.equal(files.holds(7), false);
    assert.equal(files.release(two), undefined);
    assert.deepEqual([files.count, files.at(other)?.nodeId], [1, 8]);
  });
});

describe('unmounting without the addon', () => {
  test('is by umount for root, by fusermount otherwise, and by diskutil on macOS', () => {
    const programs = (lazy: boolean, platform: string, uid: number): string =>
      unmountCommands('/m', lazy, { platform, uid })
        .map((command) => command.join(' '))
        .join('; ');
    assert.equal(programs(false, 'linux', 1000), 'fusermount3 -u -- /m; fusermount -u -- /m');
    assert.match(programs(true, 'linux', 0), /^umount -l -- \/m; fusermount3 -u -z -- \/m/);
    assert.equal(programs(true, 'darwin', 501), '/sbin/umount -f /m; /usr/sbin/diskutil unmount force /m');
  });
});

describe('a session by fuse-native', {
  skip: unmountable() || fuseNativeImpossible,
  timeout: 120_000,
}, () => {
  let session: LiveSession;
  afterEach(() => session.close());

  const start = async (files: Parameters<typeof LiveSession.start>[0]): Promise<void> => {
    session = await LiveSession.start(files, 'fuse-native');
  };

  test('shows versions beside the current tree, found when they are looked up', async () => {
    const id = `sha256-${'1'.repeat(64)}`;
    const never = `sha256-${'e'.repeat(64)}`;
    session = await LiveSession.start({ 'a.py': 'now' }, 'fuse-native', undefined, {
      versions: { [id]: { 'a.py': 'one', 'd/x.py': 'x' } },
    });
    assert.equal(
      await session.sh(`ls; cat current/a.py versions/${id}/a.py versions/${id}/d/x.py`),
      'current\nversions\nnowonex',
    );
    assert.equal(
      await session.sh(
        `ls versions versions/${id}; ls versions/${never} versions/x 2>/dev/null || echo none`,
      ),
      `versions:\n${id}\n\nversions/${id}:\na.py\nd\nnone\n`,
    );
    await session.publish({ 'b.py': 'later' });
    assert.equal(await session.sh(`cat current/b.py versions/${id}/a.py`), 'laterone');
    assert.equal(await session.sh('find . | wc -l'), '8\n');
    assert.equal(await session.dropVersion(id), true);
    assert.equal(await session.sh(`cat versions/${id}/d/x.py`), 'x');
    assert.deepEqual([...new Set(session.sought)], [id, never]);
    assert.equal(session.sought.at(-1), id);
  });

  test('gives who holds an old file all of the old, while others read the new one through the same inode', async () => {
    const versions = ['o', 'n', 'm'].map((letter, index) => letter.repeat(400_000 - 50_000 * index));
    await start({ 'a.bin': versions[0] ?? '' });
    const held = session.python(
      reading(`
def whole(f):
    os.lseek(f, 0, os.SEEK_SET)
    parts = []
    while part := os.read(f, 65536): parts.append(part)
    return b''.join(parts)
held = []
for size in (400000, 350000, 300000):
    while os.stat('a.bin').st_size != size: time.sleep(0.01)
    f = os.open('a.bin', os.O_RDONLY)
    os.read(f, 10)  # so that it is known to be open
    held.append(f)
    for g in held: whole(g)
print([(len(whole(f)), set(whole(f))) for f in held])`),
    );
    for (const [index, version] of versions.entries()) {
      if (index > 0) await session.publish({ 'a.bin': version });
      await waitFor('its first read', () => session.fetched.length > index);
    }
    assert.equal(await held, '[(400000, {111}), (350000, {110}), (300000, {109})]\n');
  });

  test('gives who holds a deleted file all of it, and lets it go afterwards', async () => {
    await start({ 'a.bin': 'o'.repeat(300_000), b: 'b' });
    const held = session.python(
      reading(`
f = os.open('a.bin', os.O_RDONLY)
first = os.read(f, 10)
while os.path.exists('a.bin'): time.sleep(0.01)
rest = os.read(f, 1 << 20) + os.read(f, 1 << 20)
print(len(first + rest), set(first + rest))`),
    );
    await waitFor('its first read', () => session.fetched.length > 0);
    await session.publish({ b: 'b' });
    assert.equal(await held, '300000 {111}\n');
    await waitFor('the release', () => session.released.length > 0);
    assert.equal((await session.counters()).replacedInodes, 0);
  });

  test('never answers out of what the kernel kept: each question of a path comes anew', async () => {
    await start({ 'a.py': 'a' });
    await session.sh('stat a.py');
    const asked = async (): Promise<number> => (await session.counters()).opcodes.getattr ?? 0;
    const before = await asked();
    await session.python("import os\nfor _ in range(10): os.stat('a.py')");
    assert.ok((await asked()) - before >= 10);
    await session.publish({ 'a.py': 'a', 'b.py': 'b' });
    assert.equal(await session.sh('ls'), 'a.py\nb.py\n');
  });

  test('refuses a shared mapping, since the kernel has one memory for all versions of a path', async () => {
    await start({ 'a.py': 'a' });
    const out = await session.python(`
import errno, mmap, os
f = os.open('a.py', os.O_RDONLY)
try: mmap.mmap(f, 1, prot=mmap.PROT_READ)
except OSError as error: print(errno.errorcode[error.errno])
print(mmap.mmap(f, 1, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)[0:1])`);
    assert.equal(out, "ENODEV\nb'a'\n");
  });

  test('reads more than 128 KiB at once, from any position', async () => {
    const bytes = randomBytes(3_000_001);
    await start({ 'a.bin': bytes });
    const ranges = [
      [0, 131_072],
      [0, 131_073],
      [1, 1_048_576],
      [131_071, 262_146],
      [2_999_000, 4_000_000],
      [3_000_001, 10],
    ] as const;
    const out = await session.python(`
import hashlib, os
f = os.open('a.bin', os.O_RDONLY)
for at, count in ${JSON.stringify(ranges)}:
    print(hashlib.sha256(os.pread(f, count, at)).hexdigest())`);
    const digests = ranges.map(([at, count]) =>
      createHash('sha256')
        .update(bytes.subarray(at, at + count))
        .digest('hex'),
    );
    assert.deepEqual(out.trim().split('\n'), digests);
  });

  test('lists 100,000 names, each once, also while the tree is replaced', async () => {
    const names = (first: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`d/file-${first + index}`, '']));
    await start(names(0));
    const listing = session.python(`
import os
seen = []
for _ in range(2):
    seen.append(os.listdir('d'))
    assert len(seen[-1]) == len(set(seen[-1])) == 100000, len(seen[-1])
    assert set(seen[-1]) in ({f'file-{i}' for i in range(100000)}, {f'file-{i}' for i in range(5, 100005)})
print(sum(entry.is_file() for entry in os.scandir('d')))`);
    const moved = session.publish(names(5));
    assert.equal(await listing, '100000\n');
    await moved;
    const types = await session.counters();
    assert.ok((types.opcodes.getattr ?? 0) < 1000, 'the types come with the listing');
  });

  test('never sends more of an attribute than was asked for', async () => {
    await start({ 'a.py': 'a' });
    const out = await session.python(`
import ctypes, errno, os
c = ctypes.CDLL(None, use_errno=True)
small = ctypes.create_string_buffer(4)
print(c.getxattr(b'a.py', b'user.dagmount.etag', small, 4), errno.errorcode[ctypes.get_errno()])
print(c.getxattr(b'a.py', b'user.dagmount.etag', None, 0), c.listxattr(b'a.py', None, 0))
print(len(os.getxattr('a.py', 'user.dagmount.etag')), os.listxattr('a.py'), os.listxattr('.'))
print(os.getxattr('.', 'user.dagmount.seq').decode())
try: os.getxattr('a.py', 'user.dagmount.none')
except OSError as error: print(errno.errorcode[error.errno])`);
    assert.equal(out, '-1 ERANGE\n32 0\n32 [] []\n42\nENODATA\n');
  });

  test('ends with the reason when its process is killed, and leaves a mount that can be removed', async () => {
    await start({ 'a.py': 'a' });
    session.killProcess();
    await waitFor('the end', () => session.ended !== undefined);
    assert.ok(session.ended?.kind === 'exited');
    assert.match(session.ended.reason, /SIGKILL/);
    assert.equal(mountsAt(session.target).length, 1);
  });
});

describe('mounting by fuse-native', { skip: unmountable() || fuseNativeImpossible, timeout: 60_000 }, () => {
  test('that fails says why', async () => {
    const started = LiveSession.start({ 'a.py': 'a' }, 'fuse-native', '/does/not/exist');
    await assert.rejects(started, (error) => {
      assert.ok(error instanceof MountError);
      assert.deepEqual([error.code, /Mountpoint does not exist/.test(error.message)], ['mount-failed', true]);
      return true;
    });
  });

  test('takes a mount point for what it is, whatever a shell would make of its name', async () => {
    const target = mkdtempSync(join(tmpdir(), 'dagmount-test-$(touch x);"\' -'));
    const session = await LiveSession.start({ 'a.py': 'a' }, 'fuse-native', target);
    assert.equal(await session.sh('cat a.py'), 'a');
    assert.equal(mountsAt(target).length, 1);
    await session.close();
    assert.deepEqual(mountsAt(target), []);
    assert.throws(() => rmdirSync(target), { code: 'ENOENT' });
  });
});
