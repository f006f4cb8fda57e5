import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { SLOT_BYTES } from '../../../src/session/kernel/journal.ts';
import { UNANSWERED } from '../../../src/session/kernel/notification-watch.ts';
import { Transport } from '../../../src/session/kernel/transport.ts';
import { ERRNO, encodeInvalidateInode, encodeResend, ReplyWriter } from '../../../src/wire/index.ts';
import { requestBytes, words } from '../messages.ts';
import { FakeKernel } from './fake-kernel.ts';

describe('the transport', () => {
  let kernel: FakeKernel;
  let transport: Transport;
  let requests: string[];
  let ends: number[];
  beforeEach(() => {
    kernel = new FakeKernel();
    requests = [];
    ends = [];
    transport = new Transport(kernel.addon, -1, 4096, {
      onRequest: (offset, length) =>
        requests.push(Buffer.from(transport.requests.subarray(offset, offset + length)).toString('hex')),
      onEnd: (errno) => ends.push(errno),
    });
  });
  const underWay = () => transport.notifying;
  const inode = (nodeId: number): Uint8Array => encodeInvalidateInode(nodeId, 0, 0);

  test('hands over each request with its bytes, and frees its slot', () => {
    const one = requestBytes('getattr', 2, words(0, 0, 0, 0), { unique: 2 });
    const other = requestBytes('statfs', 1, undefined, { unique: 4 });
    kernel.send(one, other);
    assert.deepEqual(requests, [one.toString('hex'), other.toString('hex')]);
    for (const slot of [0, SLOT_BYTES]) {
      assert.deepEqual([...transport.requests.subarray(slot, slot + 4)], [0, 0, 0, 0]);
    }
  });

  test('sends what was laid out in the reply buffer, and says what became of it', () => {
    const reply = new ReplyWriter(transport.replyBuffer);
    reply.begin(0, 8);
    assert.equal(transport.send(reply.bytes(Buffer.from('bytes'))), 0);
    assert.deepEqual([kernel.replies[0]?.unique, kernel.replies[0]?.body.toString()], [8, 'bytes']);
    kernel.refusal = ERRNO.ENOENT;
    assert.equal(transport.send(reply.length), ERRNO.ENOENT);
    assert.equal(transport.sendNow(encodeResend()), ERRNO.ENOENT);
  });

  test('answers notifications in the order in which they were given, however many jobs wait', async () => {
    kernel.answersNotifications = false;
    assert.equal(underWay(), undefined);
    const first = transport.notify([inode(2), inode(3)]);
    const second = transport.notify([inode(4)]);
    assert.deepEqual([...(underWay()?.results ?? [])], [UNANSWERED, UNANSWERED]);
    kernel.notifying[0]?.answer([0, ERRNO.ENOENT]);
    assert.deepEqual([...(await first)], [0, ERRNO.ENOENT]);
    assert.equal(underWay()?.results.length, 1, 'the second job is under way');
    kernel.notifying[1]?.answer();
    assert.deepEqual([...(await second)], [0]);
    assert.equal(underWay(), undefined);
  });

  test('sends nothing once the connection is over, and closes the channel once', () => {
    kernel.end(ERRNO.ENODEV);
    assert.deepEqual(ends, [ERRNO.ENODEV]);
    assert.equal(transport.send(16), 0);
    transport.close();
    assert.deepEqual([kernel.replies.length, kernel.isClosed], [0, false]);
  });

  test('closes the channel when it is done with', () => {
    transport.close();
    transport.close();
    assert.equal(kernel.isClosed, true);
    assert.equal(transport.send(16), 0);
  });
});
