import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrnoName, type InitReply, negotiate, ReplyWriter } from '../../src/wire/index.ts';
import { exchanges, type GoldenEntry, type GoldenReply, goldenBytes, halves } from './golden.ts';

/** GENERATION of capture.py. */
const INODE_GENERATION = 0x89abcdef;

/** Old content in the buffer must not show through: the writer uses one buffer for all replies. */
function dirtyBuffer(): Uint8Array {
  return new Uint8Array(8192).fill(0xa5);
}

function writeEntry(writer: ReplyWriter, entry: GoldenEntry, plus: boolean): void {
  const [high, low] = halves(entry.cookie);
  const { attributes } = entry;
  const name = new Uint8Array(Buffer.from(entry.name));
  const fits = !plus
    ? writer.dirent(attributes.ino, attributes.mode, high, low, name)
    : entry.counted
      ? writer.direntPlus(attributes, high, low, name)
      : writer.direntPlusUncounted(attributes.ino, attributes.mode, high, low, name);
  assert.ok(fits, `${entry.name} does not fit`);
}

function write(writer: ReplyWriter, reply: GoldenReply): number {
  switch (reply.kind) {
    case 'entry':
      return writer.entry(reply.attributes);
    case 'attr':
      return writer.attr(reply.attributes);
    case 'negativeEntry':
      return writer.negativeEntry(reply.ttl);
    case 'statfs':
      return writer.statfs(reply.values);
    case 'xattrSize':
      return writer.xattrSize(reply.size);
    case 'bytes':
      return writer.bytes(new Uint8Array(Buffer.from(reply.content, 'hex')));
    case 'data':
      return writer.data(reply.length);
    case 'init':
      return writer.init({ ...reply.values, flags: BigInt(reply.values.flags) } as unknown as InitReply);
    case 'readdir':
    case 'readdirplus':
      for (const entry of reply.entries) writeEntry(writer, entry, reply.kind === 'readdirplus');
      return writer.length;
    case 'error':
      return writer.error(reply.errno as ErrnoName);
    case 'empty':
    case 'opened':
      return writer.length;
  }
}

for (const { comment, request, reply } of exchanges) {
  // OPEN is never answered with a handle (no_open), so there is no encoder for that.
  if (reply === null || reply.kind === 'opened') continue;
  test(`the ${reply.kind} reply for ${comment} equals the one that the kernel accepted`, () => {
    const buffer = dirtyBuffer();
    const writer = new ReplyWriter(buffer);
    writer.inodeGeneration = INODE_GENERATION;
    const [high, low] = halves(request.header.unique);
    writer.begin(high, low, typeof request.body.size === 'number' ? request.body.size : undefined);
    const length = write(writer, reply);
    assert.equal(length, writer.length);
    const golden = goldenBytes(reply.bytes);
    if (reply.kind === 'data') {
      // The record leaves out the body of the reply, which is zeros.
      assert.deepEqual(
        [...buffer.subarray(0, 16)],
        [...golden.subarray(0, 4), ...buffer.subarray(4, 8), ...golden.subarray(8, 16)],
      );
    } else {
      assert.equal(
        Buffer.from(buffer.subarray(0, length)).toString('hex'),
        Buffer.from(golden).toString('hex'),
      );
    }
    assert.equal(buffer[Math.max(length, 80)], 0xa5, 'nothing is written beyond the reply');
  });
}

test('the INIT reply to a captured offer equals the one that the kernel accepted', () => {
  const { request, reply } = exchanges[0]!;
  assert.ok(reply?.kind === 'init');
  const { body } = request;
  const outcome = negotiate(
    {
      major: Number(body.major),
      minor: Number(body.minor),
      maxReadahead: Number(body.max_readahead),
      flags: BigInt(body.flags!) | (BigInt(body.flags2!) << 32n),
    },
    { resend: true, idmap: false },
  );
  assert.ok(outcome.kind === 'agreed');
  const buffer = dirtyBuffer();
  const writer = new ReplyWriter(buffer);
  writer.begin(0, Number(request.header.unique));
  const length = writer.init(outcome.reply);
  assert.deepEqual(buffer.subarray(0, length), goldenBytes(reply.bytes));
});
