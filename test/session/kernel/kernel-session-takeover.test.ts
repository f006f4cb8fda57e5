import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { JOURNAL_BYTES, Journal } from '../../../src/session/kernel/journal.ts';
import type { Takeover } from '../../../src/session/messages.ts';
import { FUSE_HAS_RESEND, type InitReply } from '../../../src/wire/index.ts';
import { waitFor } from '../../support/wait-for.ts';
import { range, requestBytes, words } from '../messages.ts';
import { treeOf } from '../trees.ts';
import { SessionOnBytes } from './session-on-bytes.ts';

const NOTIFY_RESEND = 7;
const RESENT = 0x80000000;

describe('a session that takes over', () => {
  let f: SessionOnBytes;

  beforeEach(() => {
    f = new SessionOnBytes();
  });
  afterEach(() => f.stop());

  const agreed = { flags: FUSE_HAS_RESEND } as InitReply;
  const takeover = (others: Partial<Takeover> = {}): Takeover => ({ init: agreed, ...others });
  /** The journal of a server that was killed while these requests waited. */
  const leftBy = (...requests: readonly Uint8Array[]): ArrayBuffer => {
    const memory = new ArrayBuffer(JOURNAL_BYTES);
    const left = new Journal(memory);
    for (const request of requests) {
      left.slots.set(request, 0);
      left.keep(0, request.length);
      left.freeSlot(0);
    }
    return memory;
  };

  test('asks the kernel to send again what was not answered, and counts it', async () => {
    f.start({ 'a.py': 'a' }, { takeover: takeover() });
    assert.equal(f.kernel.replies[0]?.error, NOTIFY_RESEND);
    await waitFor('the word', () => f.serving.length === 1);
    assert.deepEqual(f.serving[0], {
      init: agreed,
      takenOver: { unanswered: 0, owed: 0, failed: 0, resends: true },
    });
    f.kernel.ask('getattr', f.node('a.py'), words(0, 0, 0, 0), { unique: 8, uniqueHigh: RESENT });
    assert.equal(f.session.counters().replayed, 1);
  });

  test('answers from the journal what an older kernel does not send again', async () => {
    const files = { 'a.py': 'print(1)' };
    const { generation: tree } = treeOf(files);
    const file = tree.nodeId(tree.find('a.py'));
    const memory = leftBy(
      requestBytes('read', file, range(0, 5), { unique: 8 }),
      requestBytes('read', file, range(5, 5), { unique: 10 }),
    );
    const init = { flags: 0n } as InitReply;
    f.start(files, { takeover: takeover({ init }), journal: new Journal(memory) }, tree);
    await waitFor('the word', () => f.serving.length === 1);
    assert.deepEqual((f.serving[0] as { takenOver: unknown }).takenOver, {
      unanswered: 2,
      owed: 0,
      failed: 0,
      resends: false,
    });
    assert.equal(f.kernel.replies.length, 0);
    (await f.fetched(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('print(1)') });
    await f.answered(2);
    assert.deepEqual(f.kernel.answers.map(({ unique, body }) => [unique, body.toString()]).sort(), [
      [10, '(1)'],
      [8, 'print'],
    ]);
    assert.deepEqual(new Journal(memory).unanswered(), [], 'nobody answers them once more');
    assert.equal(f.session.counters().replayed, 2);
  });

  test('leaves what the kernel sends again to the kernel', async () => {
    const memory = leftBy(requestBytes('read', 2, range(0, 5), { unique: 8 }));
    f.start({ 'a.py': 'a' }, { takeover: takeover(), journal: new Journal(memory) });
    await waitFor('the word', () => f.serving.length === 1);
    assert.equal(f.fetches.length, 0);
    assert.deepEqual(new Journal(memory).unanswered(), []);
  });

  test('tells the kernel what the one before may have owed it', async () => {
    const { generation: previous } = treeOf({ 'a.py': 'one', 'gone.py': 'g' });
    const next = treeOf({ 'a.py': 'three' }, { number: 4 }, previous);
    f.start({}, { takeover: takeover(), left: { previous: previous.buffer } }, next.generation);
    await waitFor('the word', () => f.serving.length === 1);
    const { takenOver } = f.serving[0] as { takenOver: { owed: number } };
    assert.ok(takenOver.owed >= 2);
    assert.equal(f.kernel.notifying[0]?.messages.length, takenOver.owed);
  });

  test('keeps a read that waits in the journal until it is answered', async () => {
    const memory = new ArrayBuffer(JOURNAL_BYTES);
    f.start({ 'a.py': 'a' }, { journal: new Journal(memory) });
    f.kernel.ask('read', f.node('a.py'), range(0, 5), { unique: 8 });
    assert.equal(new Journal(memory).unanswered().length, 1);
    (await f.fetched(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('a') });
    await f.answered(1);
    assert.deepEqual(new Journal(memory).unanswered(), []);
  });
});
