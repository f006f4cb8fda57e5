import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ERRNO, type ErrnoName, OPCODES, type RequestKind } from '../../src/wire/index.ts';
import { Asked } from './asked.ts';
import { name, range, requestBytes, words } from './messages.ts';

type Opcode = (typeof OPCODES)[number]['name'];
/** INIT negotiates the connection, so the session answers it (kernel/kernel-session.test.ts). */
type Dispatched = Exclude<Opcode, 'init'>;

const HEADER_BYTES = 40;
const ROOT = 1;
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);
const newFile = [0o644, 0, 0, 0];

/** A whole body of each request that is only ever answered with an errno. */
const refused = {
  setattr: ['EROFS', zeros(88)],
  symlink: ['EROFS', Buffer.concat([name('new'), name('a.py')])],
  mknod: ['EROFS', Buffer.concat([words(...newFile), name('new')])],
  mkdir: ['EROFS', Buffer.concat([words(0o755, 0), name('new')])],
  unlink: ['EROFS', name('a.py')],
  rmdir: ['EROFS', name('pkg')],
  rename: ['EROFS', Buffer.concat([words(ROOT, 0), name('a.py'), name('b.py')])],
  rename2: ['EROFS', Buffer.concat([words(ROOT, 0, 0, 0), name('a.py'), name('b.py')])],
  link: ['EROFS', Buffer.concat([words(2, 0), name('new')])],
  write: ['EROFS', Buffer.concat([zeros(40), Buffer.from('bytes')])],
  setxattr: ['EROFS', Buffer.concat([words(1, 0), name('user.x'), Buffer.from('1')])],
  removexattr: ['EROFS', name('user.x')],
  create: ['EROFS', Buffer.concat([words(...newFile), name('new')])],
  fallocate: ['EROFS', zeros(32)],
  tmpfile: ['EROFS', words(...newFile)],
  copy_file_range: ['EROFS', zeros(56)],
  copy_file_range_64: ['EROFS', zeros(56)],
  // The kernel remembers ENOSYS for the connection, and from then on does these by itself.
  open: ['ENOSYS', words(0, 0)],
  opendir: ['ENOSYS', words(0, 0)],
  release: ['ENOSYS', zeros(24)],
  releasedir: ['ENOSYS', zeros(24)],
  access: ['ENOSYS', words(4, 0)],
  bmap: ['ENOSYS', zeros(16)],
  flush: ['ENOSYS', zeros(24)],
  fsync: ['ENOSYS', zeros(16)],
  fsyncdir: ['ENOSYS', zeros(16)],
  getlk: ['ENOSYS', zeros(48)],
  ioctl: ['ENOSYS', zeros(32)],
  lseek: ['ENOSYS', zeros(24)],
  poll: ['ENOSYS', zeros(24)],
  readlink: ['ENOSYS', zeros(0)],
  removemapping: ['ENOSYS', zeros(4)],
  setlk: ['ENOSYS', zeros(48)],
  setlkw: ['ENOSYS', zeros(48)],
  setupmapping: ['ENOSYS', zeros(40)],
  statx: ['ENOSYS', zeros(24)],
  syncfs: ['ENOSYS', zeros(8)],
} as const satisfies { readonly [Kind in Dispatched]?: readonly [ErrnoName, Buffer] };

/** The opcodes that have a test of their own below. */
const answered: readonly Dispatched[] = [
  'lookup',
  'getattr',
  'read',
  'readdir',
  'readdirplus',
  'statfs',
  'getxattr',
  'listxattr',
  'forget',
  'batch_forget',
  'interrupt',
  'notify_reply',
  'destroy',
];

describe('a request, bytes in and bytes out', () => {
  let asked: Asked;
  let file: number;
  let pkg: number;
  beforeEach(() => {
    const files = { 'a.py': 'print(1)\n', 'cold.bin': 'frozen', 'empty.py': '', 'pkg/b.py': 'x' };
    asked = new Asked(files, { archived: ['cold.bin'] });
    file = asked.node('a.py');
    pkg = asked.node('pkg');
  });

  const errorOf = (kind: RequestKind | number, node: number, body: Buffer): number | undefined => {
    const { reply } = asked.message(requestBytes(kind, node, body, { unique: 12, uniqueHigh: 3 }));
    if (reply !== undefined) assert.equal(reply.unique, 12 + 3 * 2 ** 32, 'of the request that was sent');
    if (reply !== undefined && reply.error !== 0) assert.equal(reply.body.length, 0);
    return reply?.error;
  };
  const is = (errno: ErrnoName): number => -ERRNO[errno];

  test('has a row here for every opcode', () => {
    const rows = [...Object.keys(refused), ...answered, 'init'];
    assert.deepEqual(rows.sort(), OPCODES.map(({ name: each }) => each).sort());
  });

  for (const [kind, [errno, body]] of Object.entries(refused)) {
    test(`${kind} is refused with ${errno}`, () => {
      assert.equal(errorOf(kind as RequestKind, file, body), is(errno));
    });
  }

  test('lookup gives the entry, for ever, and remembers that there is none', () => {
    const { reply } = asked.message(requestBytes('lookup', ROOT, name('a.py')));
    assert.equal(reply?.error, 0);
    assert.equal(reply?.body.length, 128);
    assert.equal(Number(reply?.body.readBigUInt64LE(0)), file);
    assert.equal(reply?.body.readBigUInt64LE(16), 2n ** 64n - 1n);
    const absent = asked.message(requestBytes('lookup', ROOT, name('b.py'))).reply;
    assert.deepEqual([absent?.error, absent?.body.readBigUInt64LE(0)], [0, 0n]);
    assert.equal(absent?.body.readBigUInt64LE(16), 2n ** 64n - 1n);
  });

  test('lookup is refused by what the parent and the name are', () => {
    assert.equal(errorOf('lookup', file, name('x')), is('ENOTDIR'));
    assert.equal(errorOf('lookup', 999, name('x')), is('ESTALE'));
    assert.equal(errorOf('lookup', ROOT, name('n'.repeat(256))), is('ENAMETOOLONG'));
    assert.equal(errorOf('lookup', ROOT, name('n'.repeat(255))), 0);
    assert.equal(errorOf('lookup', ROOT, name('n'.repeat(4000))), is('ENAMETOOLONG'));
    asked.show({ 'a.py': 'print(1)\n' }, 4);
    assert.equal(errorOf('lookup', pkg, name('b.py')), is('ENOENT'), 'below a directory that went');
  });

  test('getattr gives size, type and permissions', () => {
    const { reply } = asked.message(requestBytes('getattr', file, words(0, 0, 0, 0)));
    assert.equal(reply?.body.length, 104);
    assert.equal(Number(reply?.body.readBigUInt64LE(16 + 8)), 9);
    assert.equal(reply?.body.readUInt32LE(16 + 60), 0o100444);
    assert.equal(asked.mode(pkg), 0o040555);
    assert.equal(errorOf('getattr', 999, zeros(16)), is('ESTALE'));
  });

  test('read names the bytes to fetch, cut at the end of the file', () => {
    const rangeOf = (offset: number, size: number) => {
      const { outcome } = asked.message(requestBytes('read', file, range(offset, size)));
      return outcome.kind === 'content' && [outcome.range.position, outcome.range.length];
    };
    assert.deepEqual(rangeOf(0, 4096), [0, 9]);
    assert.deepEqual(rangeOf(6, 2), [6, 2]);
    assert.deepEqual(rangeOf(6, 0xffff_ffff), [6, 3]);
  });

  test('read at or behind the end, and of an empty file, is answered with no bytes', () => {
    for (const [node, offset] of [
      [file, 9] as const,
      [file, 5_000] as const,
      [asked.node('empty.py'), 0] as const,
    ]) {
      const { reply } = asked.message(requestBytes('read', node, range(offset, 4096)));
      assert.deepEqual([reply?.error, reply?.body.length], [0, 0]);
    }
  });

  test('read is refused of a directory, of an archived object and of a node that nothing stands for', () => {
    assert.equal(errorOf('read', pkg, range(0, 10)), is('EISDIR'));
    assert.equal(errorOf('read', asked.node('cold.bin'), range(0, 10)), is('EIO'));
    assert.equal(errorOf('read', 999, range(0, 10)), is('ESTALE'));
  });

  test('readdirplus and readdir list by cookies, and never more than was asked for', () => {
    for (const kind of ['readdirplus', 'readdir'] as const) {
      for (const size of [0, 23, 200, 500, 4096]) {
        const { names, longest } = listedBy(asked, kind, size);
        assert.ok(longest <= size, `${kind} of ${size} bytes`);
        if (size >= 200) assert.deepEqual(names, ['.', '..', 'a.py', 'cold.bin', 'empty.py', 'pkg']);
        else assert.deepEqual(names, []);
      }
      assert.equal(errorOf(kind, file, range(0, 4096)), is('ENOTDIR'));
      assert.equal(errorOf(kind, 999, range(0, 4096)), is('ESTALE'));
    }
  });

  test('statfs counts the tree', () => {
    assert.equal(asked.statfs().files - asked.statfs().ffree, 6);
  });

  test('getxattr and listxattr tell why there is no value', () => {
    const get = (attribute: string, size: number, node = file): number | undefined =>
      errorOf('getxattr', node, Buffer.concat([words(size, 0), name(attribute)]));
    assert.equal(get('user.dagmount.key', 100), 0);
    assert.equal(get('user.dagmount.key', 0), 0);
    assert.equal(get('user.dagmount.key', 2), is('ERANGE'));
    assert.equal(get('user.dagmount.none', 100), is('ENODATA'));
    assert.equal(get('security.capability', 100), is('EOPNOTSUPP'));
    assert.equal(get('user.dagmount.key', 100, 999), is('ESTALE'));
    assert.equal(errorOf('listxattr', file, words(0, 0)), 0);
    assert.equal(errorOf('listxattr', 999, words(0, 0)), is('ESTALE'));
  });

  test('what takes no reply gets none, and says what the session is to do', () => {
    const outcomeOf = (kind: RequestKind, body: Buffer) => {
      const { outcome, reply } = asked.message(requestBytes(kind, file, body));
      assert.equal(reply, undefined, kind);
      return outcome;
    };
    assert.deepEqual(outcomeOf('forget', words(1, 0)), { kind: 'forget', nodeIds: [file] });
    assert.deepEqual(outcomeOf('batch_forget', words(2, 0, 5, 0, 1, 0, 7, 0, 1, 0)), {
      kind: 'forget',
      nodeIds: [5, 7],
    });
    const interrupt = outcomeOf('interrupt', words(8, 4));
    assert.ok(interrupt.kind === 'interrupt');
    assert.deepEqual([interrupt.target.targetLow, interrupt.target.targetHigh], [8, 4]);
    assert.deepEqual(outcomeOf('notify_reply', zeros(40)), { kind: 'silent' });
  });

  test('destroy gets an empty reply', () => {
    assert.equal(errorOf('destroy', 0, zeros(0)), 0);
  });

  test('an opcode that is in no table is refused with ENOSYS', () => {
    for (const opcode of [0, 7, 19, 54, 4096, 0xffff_ffff]) {
      assert.equal(errorOf(opcode, file, zeros(64)), is('ENOSYS'));
    }
  });

  test('a body that is cut is refused with EIO, unless the request takes no reply', () => {
    for (const { name: kind, minimumBody, answered: takesReply } of OPCODES) {
      if (kind === 'init') continue;
      for (const left of new Set([0, 1, minimumBody - 1])) {
        if (left < 0 || left >= minimumBody) continue;
        assert.equal(
          errorOf(kind, file, zeros(left)),
          takesReply ? is('EIO') : undefined,
          `${kind}, ${left} bytes`,
        );
      }
    }
  });

  test('a message that is not as long as it says, or is no whole header, is refused where it can be named', () => {
    const whole = requestBytes('getattr', file, zeros(16), { unique: 12 });
    const longer = Buffer.concat([whole, zeros(8)]);
    assert.equal(asked.message(longer).reply?.error, is('EIO'));
    assert.equal(asked.message(whole.subarray(0, 50)).reply?.error, is('EIO'));
    for (let length = 0; length < HEADER_BYTES; length++) {
      const { reply } = asked.message(whole.subarray(0, length));
      // Half a unique identifies no request: a reply with it would answer another request.
      assert.equal(reply?.error, length >= 16 ? is('EIO') : undefined, `${length} bytes`);
    }
    // A reply with unique 0 would be a notification.
    assert.equal(asked.message(requestBytes('lookup', ROOT, zeros(0), { unique: 0 })).reply, undefined);
  });

  test('a body that is larger than it needs to be is answered as the whole one', () => {
    // A newer kernel has longer bodies, with its additions at the end.
    const longer: readonly (readonly [RequestKind, Buffer, number])[] = [
      ['getattr', zeros(64), 0],
      ['statfs', zeros(512), 0],
      ['listxattr', zeros(4096), 0],
      ['unlink', Buffer.concat([name('x'), zeros(4000)]), is('EROFS')],
    ];
    for (const [kind, body, error] of longer) assert.equal(errorOf(kind, file, body), error, kind);
  });

  test('numbers beyond 2^53, names without an end and counts that lie are refused with EIO', () => {
    const beyond = requestBytes('getattr', file, zeros(16));
    beyond.writeUInt32LE(0x200000, 20);
    assert.equal(asked.message(beyond).reply?.error, is('EIO'));
    const far = range(0, 10);
    far.writeUInt32LE(0x200000, 12);
    assert.equal(errorOf('read', file, far), is('EIO'));
    assert.equal(errorOf('lookup', ROOT, Buffer.from('a.py')), is('EIO'));
    assert.equal(errorOf('lookup', ROOT, Buffer.from('\0\0')), is('EIO'));
    assert.equal(errorOf('batch_forget', 0, words(0xffff_ffff, 0, 1, 0, 1, 0)), undefined);
  });
});

/** The whole listing of the root, in as many requests as it takes, and the most bytes of one answer. */
function listedBy(
  asked: Asked,
  kind: 'readdir' | 'readdirplus',
  size: number,
): { readonly names: readonly string[]; readonly longest: number } {
  const names: string[] = [];
  const cookie = words(0, 0);
  let longest = 0;
  for (;;) {
    const body = range(0, size);
    cookie.copy(body, 8);
    const { reply } = asked.message(requestBytes(kind, ROOT, body));
    assert.equal(reply?.error, 0);
    const bytes = reply?.body ?? Buffer.alloc(0);
    longest = Math.max(longest, bytes.length);
    if (bytes.length === 0) return { names, longest };
    const before = kind === 'readdirplus' ? 128 : 0;
    for (let at = 0; at < bytes.length; ) {
      const dirent = at + before;
      const length = bytes.readUInt32LE(dirent + 16);
      names.push(bytes.toString('utf8', dirent + 24, dirent + 24 + length));
      bytes.copy(cookie, 0, dirent + 8, dirent + 16);
      at += (before + 24 + length + 7) & ~7;
    }
  }
}
