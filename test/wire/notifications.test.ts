import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeDelete,
  encodeInvalidateEntry,
  encodeInvalidateInode,
  encodeResend,
  encodeStore,
  FUSE_EXPIRE_ONLY,
} from '../../src/wire/index.ts';
import { type GoldenNotification, goldenBytes, notifications } from './golden.ts';

const text = (value: unknown): Uint8Array => new Uint8Array(Buffer.from(String(value)));

function encode({ kind, values }: GoldenNotification): Uint8Array {
  const number = (name: string): number => Number(values[name]);
  switch (kind) {
    case 'inval_entry':
      return encodeInvalidateEntry(number('parent'), text(values.name));
    case 'inval_inode':
      return encodeInvalidateInode(number('nodeId'), number('offset'), number('length'));
    case 'store':
      return encodeStore(
        number('nodeId'),
        number('offset'),
        new Uint8Array(Buffer.from(String(values.content), 'hex')),
      );
    case 'delete':
      return encodeDelete(number('parent'), number('child'), text(values.name));
    case 'resend':
      return encodeResend();
    default:
      throw new Error(`no encoder for ${kind}`);
  }
}

for (const notification of notifications) {
  test(`${notification.comment} has the captured bytes (the kernel answered ${notification.result})`, () => {
    const golden = Buffer.from(goldenBytes(notification.bytes)).toString('hex');
    assert.equal(Buffer.from(encode(notification)).toString('hex'), golden);
  });
}

test('the captured notifications hold each one that there is an encoder for, taken by the kernel', () => {
  for (const kind of ['inval_entry', 'inval_inode', 'store', 'delete', 'resend']) {
    assert.ok(
      notifications.some((one) => one.kind === kind && one.result === 'ok'),
      kind,
    );
  }
});

test("an offset of -1 is two's complement over all 64 bits", () => {
  const message = encodeInvalidateInode(1, -1, 0);
  assert.equal(new DataView(message.buffer).getBigInt64(16 + 8, true), -1n);
});

test('an entry that only expires says so in its flags', () => {
  const message = encodeInvalidateEntry(2 ** 40 + 3, text('a'), FUSE_EXPIRE_ONLY);
  const view = new DataView(message.buffer);
  assert.equal(view.getBigUint64(16, true), 2n ** 40n + 3n);
  assert.equal(view.getUint32(16 + 12, true), 1);
});
