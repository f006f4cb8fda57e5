import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRequest, OPCODES, type Request } from '../../src/wire/index.ts';

interface Message {
  readonly opcode: number;
  readonly body: Uint8Array;
  readonly unique?: bigint;
  readonly nodeId?: bigint;
  readonly extensions?: number;
}

function message({ opcode, body, unique = 2n, nodeId = 1n, extensions = 0 }: Message): Uint8Array {
  const bytes = new Uint8Array(40 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, opcode, true);
  view.setBigUint64(8, unique, true);
  view.setBigUint64(16, nodeId, true);
  view.setUint32(24, 1000, true);
  view.setUint32(28, 100, true);
  view.setUint32(32, 4711, true);
  view.setUint16(36, extensions, true);
  bytes.set(body, 40);
  return bytes;
}

function decode(bytes: Uint8Array): Request {
  return decodeRequest(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}

function words(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values).buffer);
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const readBody = (offset: bigint, size: number): Uint8Array => words(0n, offset, BigInt(size), 0n, 0n);

test('an opcode that is not in the table is unknown: ENOSYS', () => {
  for (const opcode of [0, 7, 19, 54, 4096, 0xffff_ffff]) {
    const request = decode(message({ opcode, body: text('whatever') }));
    assert.ok(request.kind === 'unknown', request.kind);
    assert.deepEqual([request.answerable, request.opcode], [true, opcode]);
  }
});

test('a request that was sent again keeps bit 63 of its unique', () => {
  const request = decode(
    message({ opcode: 3, body: new Uint8Array(16), unique: 2n ** 63n + 2n ** 33n + 6n }),
  );
  assert.deepEqual([request.uniqueHigh, request.uniqueLow], [0x8000_0002, 6]);
});

test('a node id is a number up to 2^53 - 1, and malformed beyond', () => {
  const highest = decode(message({ opcode: 17, body: text(''), nodeId: 2n ** 53n - 1n }));
  assert.deepEqual([highest.kind, highest.nodeId], ['statfs', Number.MAX_SAFE_INTEGER]);
  const beyond = decode(message({ opcode: 17, body: text(''), nodeId: 2n ** 53n }));
  assert.ok(beyond.kind === 'malformed');
  assert.deepEqual([beyond.answerable, beyond.nodeId], [true, -1]);
});

test('a READ beyond 2^53 bytes is malformed', () => {
  const request = decode(message({ opcode: 15, body: readBody(2n ** 53n, 4096) }));
  assert.equal(request.kind, 'malformed');
});

test('a directory cookie keeps all of its 64 bits', () => {
  const request = decode(message({ opcode: 44, body: readBody(0xfedc_ba98_7654_3210n, 4096) }));
  assert.ok(request.kind === 'readdirplus');
  assert.deepEqual([request.offsetHigh, request.offsetLow], [0xfedc_ba98, 0x7654_3210]);
});

test('a name ends at its NUL, and has at least one byte and that NUL', () => {
  const names = (body: Uint8Array): string => {
    const request = decode(message({ opcode: 1, body }));
    return request.kind === 'lookup' ? Buffer.from(request.name).toString() : request.kind;
  };
  assert.equal(names(text('größe.py\0')), 'größe.py');
  assert.equal(names(text('a\0\0\0')), 'a');
  assert.equal(names(text('no end')), 'malformed');
  assert.equal(names(text('\0\0')), 'malformed');
});

test('a name does not reach into the extensions that follow the body', () => {
  const body = text('a.py\0\0\0\0extended');
  const request = decode(message({ opcode: 1, body, extensions: 1 }));
  assert.ok(request.kind === 'lookup');
  assert.equal(Buffer.from(request.name).toString(), 'a.py');
  const unended = decode(message({ opcode: 1, body: text('12345678\0\0\0\0\0\0\0\0'), extensions: 1 }));
  assert.equal(unended.kind, 'malformed');
  const tooMany = decode(message({ opcode: 17, body: text(''), extensions: 1 }));
  assert.equal(tooMany.kind, 'malformed');
});

test('forgets that were announced and not sent are malformed, and not answered', () => {
  const request = decode(message({ opcode: 42, body: words(2n, 5n, 1n) }));
  assert.ok(request.kind === 'malformed');
  assert.equal(request.answerable, false);
  const enough = decode(message({ opcode: 42, body: words(2n, 5n, 1n, 6n, 3n) }));
  assert.ok(enough.kind === 'batch_forget');
  assert.deepEqual(enough.forgets, [
    { nodeId: 5, nlookup: 1 },
    { nodeId: 6, nlookup: 3 },
  ]);
});

test('what has no unique is not answerable: its reply would be a notification', () => {
  const anonymous = decode(message({ opcode: 1, body: text('x'), unique: 0n }));
  assert.ok(anonymous.kind === 'malformed');
  assert.equal(anonymous.answerable, false);
  for (let length = 0; length < 40; length++) {
    const torn = decode(message({ opcode: 1, body: text(''), unique: 2n ** 40n + 4n }).slice(0, length));
    assert.ok(torn.kind === 'malformed');
    assert.equal(torn.answerable, length >= 16, `${length} bytes`);
    assert.equal(torn.uniqueLow, length >= 16 ? 4 : 0);
  }
});

test("a length that is not the header's is malformed", () => {
  const bytes = message({ opcode: 17, body: text('') });
  const longer = new Uint8Array(48);
  longer.set(bytes);
  assert.equal(decode(longer).kind, 'malformed');
  const beyond = decodeRequest(bytes, new DataView(bytes.buffer), 0, bytes.length + 1);
  assert.equal(beyond.kind, 'malformed');
});

test('an INIT of 7.31, without its second word of flags, is decoded; flags2 counts only with INIT_EXT', () => {
  const short = decode(message({ opcode: 26, body: words(7n | (31n << 32n), 65536n | (0x800n << 32n)) }));
  assert.ok(short.kind === 'init');
  assert.deepEqual([short.major, short.minor, short.maxReadahead, short.flags], [7, 31, 65536, 0x800n]);
  const body = (flags: bigint): Uint8Array =>
    words(7n | (45n << 32n), flags << 32n, 0x80n, 0n, 0n, 0n, 0n, 0n);
  const extended = decode(message({ opcode: 26, body: body(1n << 30n) }));
  assert.ok(extended.kind === 'init');
  assert.equal(extended.flags, (1n << 39n) | (1n << 30n));
  const plain = decode(message({ opcode: 26, body: body(1n) }));
  assert.ok(plain.kind === 'init');
  assert.equal(plain.flags, 1n);
});

test('arbitrary bytes never throw, and every result carries what an answer needs', () => {
  const anything = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(anything, (bytes) => {
      const request = decode(bytes);
      assert.equal(typeof request.kind, 'string');
      assert.ok(Number.isInteger(request.uniqueHigh) && Number.isInteger(request.uniqueLow));
    }),
    { numRuns: 2000 },
  );
});

test('arbitrary bodies under a fitting header never throw, and keep to the table', () => {
  const opcode = fc.oneof(fc.constantFrom(...OPCODES.map((row) => row.opcode)), fc.nat(60));
  const unique = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const nodeId = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 53n }),
  );
  const body = fc.uint8Array({ maxLength: 160 });
  const extensions = fc.oneof(fc.constant(0), fc.nat(65535));
  fc.assert(
    fc.property(fc.record({ opcode, unique, nodeId, body, extensions }), (parts) => {
      const request = decode(message(parts));
      const row = OPCODES.find((one) => one.opcode === parts.opcode);
      assert.equal((BigInt(request.uniqueHigh) << 32n) | BigInt(request.uniqueLow), parts.unique);
      assert.deepEqual([request.uid, request.gid, request.pid], [1000, 100, 4711]);
      assert.equal(request.nodeId, parts.nodeId < 2n ** 53n ? Number(parts.nodeId) : -1);
      if (request.kind === 'malformed') {
        assert.equal(request.answerable, parts.unique !== 0n && (row?.answered ?? true));
      } else {
        assert.equal(request.kind, row?.name ?? 'unknown');
        assert.equal(request.mutation, row?.mutation ?? false);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a lookup of any name gives that name', () => {
  const name = fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => bytes.map((byte) => byte || 1));
  fc.assert(
    fc.property(name, (bytes) => {
      const request = decode(message({ opcode: 1, body: new Uint8Array([...bytes, 0]) }));
      assert.ok(request.kind === 'lookup');
      assert.deepEqual(request.name, new Uint8Array(bytes));
    }),
  );
});

test('the table names each opcode once', () => {
  assert.equal(new Set(OPCODES.map((row) => row.opcode)).size, OPCODES.length);
  assert.equal(new Set(OPCODES.map((row) => row.name)).size, OPCODES.length);
});
