import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Attributes, FOREVER, ReplyWriter } from '../../src/wire/index.ts';

const FILE: Attributes = {
  ino: 2 ** 53 - 1,
  size: 2 ** 40 + 1,
  blocks: 2 ** 31 + 1,
  mtimeSeconds: 1_700_000_000,
  mtimeNanoseconds: 999_999_999,
  mode: 0o100444,
  nlink: 1,
  uid: 0xffff_fffe,
  gid: 0xffff_fffd,
  blksize: 4096,
};

interface Record {
  readonly nodeId: bigint;
  readonly ino: bigint;
  readonly cookie: bigint;
  readonly type: number;
  readonly name: string;
}

/** Walks directory records as the kernel does (fuse_dirent, FUSE_DIRENT_ALIGN), checking the padding. */
function records(message: Uint8Array, plus: boolean): readonly Record[] {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const found: Record[] = [];
  let at = 16;
  while (at < message.length) {
    const dirent = plus ? at + 128 : at;
    const length = view.getUint32(dirent + 16, true);
    const end = at + Math.ceil((dirent + 24 + length - at) / 8) * 8;
    assert.ok(
      message.subarray(dirent + 24 + length, end).every((byte) => byte === 0),
      'padding is zeros',
    );
    found.push({
      nodeId: plus ? view.getBigUint64(at, true) : 0n,
      ino: view.getBigUint64(dirent, true),
      cookie: view.getBigUint64(dirent + 8, true),
      type: view.getUint32(dirent + 20, true),
      name: Buffer.from(message.subarray(dirent + 24, dirent + 24 + length)).toString('latin1'),
    });
    at = end;
  }
  assert.equal(at, message.length);
  return found;
}

const names = fc.array(
  fc.string({
    minLength: 1,
    maxLength: 255,
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  }),
  { minLength: 1, maxLength: 40 },
);

for (const plus of [false, true]) {
  test(`a listing ${plus ? 'with' : 'without'} attributes holds what fits the size asked for, and no more`, () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 0, max: 8192 }), (wanted, size) => {
        const buffer = new Uint8Array(16 + 6000).fill(0xa5);
        const writer = new ReplyWriter(buffer);
        writer.begin(0x8000_0000, 7, size);
        let written = 0;
        for (const [index, name] of wanted.entries()) {
          const before = writer.length;
          const raw = new Uint8Array(Buffer.from(name, 'latin1'));
          const record = Math.ceil(((plus ? 152 : 24) + raw.length) / 8) * 8;
          const room = Math.min(buffer.length - 16, size) - (before - 16);
          const fits = plus
            ? writer.direntPlus(FILE, index, 0xffff_fff0 + (index % 16), raw)
            : writer.dirent(FILE.ino, FILE.mode, index, 0xffff_fff0 + (index % 16), raw);
          assert.equal(fits, record <= room);
          assert.equal(writer.length, before + (fits ? record : 0));
          if (!fits) break;
          written++;
        }
        assert.ok(writer.length - 16 <= size);
        assert.equal(new DataView(buffer.buffer).getUint32(0, true), writer.length);
        const found = records(buffer.subarray(0, writer.length), plus);
        assert.deepEqual(
          found.map(({ name }) => name),
          wanted.slice(0, written),
        );
        for (const [index, record] of found.entries()) {
          assert.equal(record.ino, BigInt(FILE.ino));
          assert.equal(record.nodeId, plus ? BigInt(FILE.ino) : 0n);
          assert.equal(record.cookie, (BigInt(index) << 32n) | BigInt(0xffff_fff0 + (index % 16)));
          assert.equal(record.type, 8);
        }
        assert.ok(buffer.subarray(Math.max(writer.length, 16)).every((byte) => byte === 0xa5));
      }),
      { numRuns: 500 },
    );
  });
}

test('"." and ".." bring an inode and a type, and count no lookup', () => {
  const buffer = new Uint8Array(4096).fill(0xa5);
  const writer = new ReplyWriter(buffer);
  writer.begin(0, 2, 4096);
  assert.ok(writer.direntPlusUncounted(1, 0o040555, 0, 1, new Uint8Array([0x2e])));
  const [dot] = records(buffer.subarray(0, writer.length), true);
  assert.deepEqual(dot, { nodeId: 0n, ino: 1n, cookie: 1n, type: 4, name: '.' });
  assert.ok(buffer.subarray(16, 16 + 128).every((byte) => byte === 0));
});

test('sizes and ids above 32 bits, and times to live, keep all of their bits', () => {
  const ttl = fc.oneof(fc.constant(FOREVER), fc.maxSafeNat());
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.maxSafeNat(),
      fc.maxSafeInteger(),
      ttl,
      (ino, size, mtimeSeconds, seconds) => {
        const buffer = new Uint8Array(256);
        const view = new DataView(buffer.buffer);
        const writer = new ReplyWriter(buffer);
        const valid = seconds === FOREVER ? 2n ** 64n - 1n : BigInt(seconds);
        writer.begin(0, 2);
        writer.entry({ ...FILE, ino, size, mtimeSeconds }, seconds);
        assert.equal(view.getBigUint64(16, true), BigInt(ino));
        assert.equal(view.getBigUint64(16 + 16, true), valid);
        assert.equal(view.getBigUint64(16 + 24, true), valid);
        assert.equal(view.getBigUint64(16 + 40 + 8, true), BigInt(size));
        assert.equal(view.getBigInt64(16 + 40 + 32, true), BigInt(mtimeSeconds));
      },
    ),
  );
});

test('a reply can be replaced by another until it is sent', () => {
  const buffer = new Uint8Array(256);
  const writer = new ReplyWriter(buffer);
  assert.equal(writer.begin(0, 2), 16);
  assert.equal(writer.entry(FILE), 144);
  assert.equal(writer.error('EIO'), 16);
  assert.equal(new DataView(buffer.buffer).getInt32(4, true), -5);
  assert.equal(writer.begin(0, 4), 16);
  assert.equal(new DataView(buffer.buffer).getInt32(4, true), 0);
});

test('the writer keeps to its part of a larger buffer', () => {
  const memory = new Uint8Array(512).fill(0xa5);
  const writer = new ReplyWriter(memory.subarray(100, 300));
  writer.begin(0, 2, 4096);
  while (writer.dirent(5, 0o100444, 0, 7, new Uint8Array([0x61])));
  assert.equal(writer.length, 16 + 5 * 32);
  assert.ok(memory.subarray(0, 100).every((byte) => byte === 0xa5));
  assert.ok(memory.subarray(300).every((byte) => byte === 0xa5));
});

test('a buffer too small for the fixed replies is refused, as is content that does not fit', () => {
  assert.throws(() => new ReplyWriter(new Uint8Array(143)), RangeError);
  const writer = new ReplyWriter(new Uint8Array(144));
  writer.begin(0, 2);
  assert.throws(() => writer.data(129), RangeError);
  assert.throws(() => writer.bytes(new Uint8Array(129)), RangeError);
  assert.equal(writer.data(128), 144);
});
