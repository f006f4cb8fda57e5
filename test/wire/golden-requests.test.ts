import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRequest, opcodeName } from '../../src/wire/index.ts';
import { exchanges, type GoldenRequest, goldenBytes, halves } from './golden.ts';

/** The fields of the decoded request beyond the header, from what Python unpacked of the same bytes. */
function expectedBody(request: GoldenRequest): Record<string, unknown> {
  const { body, kind } = request;
  const name = (): Uint8Array => new Uint8Array(Buffer.from(body.names?.[0] ?? ''));
  switch (kind) {
    case 'lookup':
      return { name: name() };
    case 'forget':
      return { nlookup: Number(body.nlookup) };
    case 'batch_forget':
      return {
        forgets: body.forgets?.map(({ nodeid, nlookup }) => ({
          nodeId: Number(nodeid),
          nlookup: Number(nlookup),
        })),
      };
    case 'open':
    case 'opendir':
      return { flags: body.flags };
    case 'read':
      return { offset: Number(body.offset), size: body.size };
    case 'readdir':
    case 'readdirplus': {
      const [offsetHigh, offsetLow] = halves(body.offset);
      return { offsetHigh, offsetLow, size: body.size };
    }
    case 'getxattr':
      return { name: name(), size: body.size };
    case 'listxattr':
      return { size: body.size };
    case 'access':
      return { mask: body.mask };
    case 'interrupt': {
      const [targetHigh, targetLow] = halves(body.unique);
      return { targetHigh, targetLow };
    }
    case 'init':
      return {
        major: body.major,
        minor: body.minor,
        maxReadahead: body.max_readahead,
        flags: BigInt(body.flags ?? 0) | (BigInt(body.flags2 ?? 0) << 32n),
      };
    default:
      return {};
  }
}

const MUTATIONS = new Set(
  (
    'setattr symlink mknod mkdir unlink rmdir rename rename2 link write create setxattr removexattr ' +
    'fallocate copy_file_range copy_file_range_64 tmpfile'
  ).split(' '),
);

function expected(request: GoldenRequest): Record<string, unknown> {
  const { header, kind } = request;
  const [uniqueHigh, uniqueLow] = halves(header.unique);
  return {
    kind,
    mutation: MUTATIONS.has(kind),
    uniqueHigh,
    uniqueLow,
    opcode: header.opcode,
    nodeId: Number(header.nodeid),
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    ...expectedBody(request),
  };
}

for (const { comment, request } of exchanges) {
  test(`the kernel's ${comment} is decoded`, () => {
    const message = goldenBytes(request.bytes);
    const view = new DataView(message.buffer);
    assert.deepEqual({ ...decodeRequest(message, view, 0, message.length) }, expected(request));
    assert.equal(opcodeName(Number(request.header.opcode)), request.kind);
  });
}

test('a message is decoded anywhere in the receive buffer, whatever bytes surround it', () => {
  for (const { request } of exchanges) {
    const message = goldenBytes(request.bytes);
    const buffer = new Uint8Array(message.length + 64).fill(0xff);
    buffer.set(message, 13);
    const decoded = decodeRequest(buffer, new DataView(buffer.buffer), 13, message.length);
    assert.deepEqual({ ...decoded }, expected(request));
  }
});

test('every truncation of a real request is malformed, except if the body is optional', () => {
  for (const { request } of exchanges) {
    const message = goldenBytes(request.bytes);
    for (let length = 0; length < message.length; length++) {
      const cut = message.slice(0, length);
      const view = new DataView(cut.buffer);
      if (length >= 4) view.setUint32(0, length, true); // the length agrees, so the body is decoded
      const { kind } = decodeRequest(cut, view, 0, length);
      const shorter = kind === request.kind; // the decoder reads only the fixed part of these bodies
      const lenient = ['init', 'setxattr', 'write', 'ioctl', 'notify_reply'].includes(kind);
      const named = MUTATIONS.has(kind);
      assert.ok(
        kind === 'malformed' || (shorter && (lenient || named)),
        `${request.kind} cut to ${length}: ${kind}`,
      );
    }
  }
});

test('the captured exchanges hold every request that a read-only mount answers other than with ENOSYS', () => {
  const kinds = new Set(exchanges.map(({ request }) => request.kind));
  const needed =
    'init lookup getattr read readdir readdirplus statfs getxattr listxattr forget batch_forget interrupt ' +
    'open opendir ioctl access flush fsync fsyncdir lseek statx poll';
  for (const kind of [...needed.split(' '), ...MUTATIONS]) {
    assert.ok(kinds.has(kind), `${kind} was not captured`);
  }
});
