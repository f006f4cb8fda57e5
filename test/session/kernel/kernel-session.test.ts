import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { JOURNAL_BYTES, Journal } from '../../../src/session/kernel/journal.ts';
import { KernelSession } from '../../../src/session/kernel/kernel-session.ts';
import type { KernelSessionOptions } from '../../../src/session/kernel/kernel-session-options.ts';
import type { FetchResult, Takeover } from '../../../src/session/messages.ts';
import { RequestMeter } from '../../../src/session/request-meter.ts';
import { isConnectionHeld, type SessionEnd } from '../../../src/session/session-end.ts';
import type { Generation } from '../../../src/tree/index.ts';
import { ERRNO, FUSE_HAS_RESEND, type InitReply } from '../../../src/wire/index.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Files } from '../live-session.ts';
import { name, range, requestBytes, words } from '../messages.ts';
import { served, treeOf } from '../trees.ts';
import { FakeKernel } from './fake-kernel.ts';

const ROOT = 1;
const NOTIFY_INVAL_INODE = 2;
const NOTIFY_INVAL_ENTRY = 3;
const NOTIFY_RESEND = 7;
const RESENT = 0x80000000;

/** As Linux 6.12 offers itself. */
const INIT = words(7, 41, 131_072, 0x7fff_ffff, 0x0001_ffff, ...new Array(11).fill(0));

describe('a session, with no kernel but its bytes', () => {
  let kernel: FakeKernel;
  let generation: Generation;
  let session: KernelSession;
  let fetches: {
    path: string;
    chunk: number | undefined;
    reader: number | undefined;
    signal: AbortSignal;
    answer(result: FetchResult): void;
  }[];
  let serving: unknown[];
  let faults: string[];
  let ends: SessionEnd[];
  let released: number[];

  const start = (files: Files, options: Partial<KernelSessionOptions> = {}, of?: Generation): void => {
    kernel ??= new FakeKernel();
    generation = of ?? treeOf(files).generation;
    session = new KernelSession({
      addon: kernel.addon,
      fd: -1,
      shown: served(generation),
      presentation: { uid: 0, gid: 0, umask: 0o222 },
      naming: { source: 's3://b/in/', keyPrefix: 'in/' },
      cacheDirectory: '/nowhere',
      meter: new RequestMeter(RequestMeter.memory()),
      fetch: ({ path }, chunk, signal, reader) =>
        new Promise((answer) => fetches.push({ path, chunk, reader, signal: signal as AbortSignal, answer })),
      versionIdOf: async () => 'v1',
      rootAttributeOf: async (attribute) => (attribute === 'seq' ? '42' : undefined),
      findVersion: async () => ({ kind: 'absent' }),
      onVersionUsed: () => undefined,
      onServing: (word) => serving.push(word),
      onFault: (error, opcode) => faults.push(`${opcode}: ${String(error)}`),
      onReleased: (nodeIds) => released.push(...nodeIds),
      onStuck: () => undefined,
      onEnd: (end) => ends.push(end),
      ...options,
    });
  };
  const node = (path: string): number => generation.nodeId(generation.find(path));
  const answered = (count: number): Promise<boolean> =>
    waitFor(`${count} answers`, () => kernel.answers.length >= count);

  /** The fetches that main was asked for, once there are so many. */
  const fetched = async (count: number): Promise<typeof fetches> => {
    await waitFor(`${count} fetches`, () => fetches.length >= count);
    return fetches;
  };

  beforeEach(() => {
    kernel = new FakeKernel();
    fetches = [];
    serving = [];
    faults = [];
    ends = [];
    released = [];
  });
  afterEach(() => session.stop());

  test('answers INIT with what both can do, and serves from then on', () => {
    start({ 'a.py': 'a' });
    const reply = kernel.ask('init', 0, INIT);
    assert.deepEqual([reply?.error, reply?.body.readUInt32LE(0)], [0, 7]);
    assert.equal(serving.length, 1);
    assert.deepEqual(ends, []);
  });

  test('refuses a kernel that is too old, and ends with the reason', () => {
    start({ 'a.py': 'a' });
    const old = words(7, 27, 131_072, 0, ...new Array(12).fill(0));
    assert.equal(kernel.ask('init', 0, old)?.error, -ERRNO.EPROTO);
    assert.equal(ends[0]?.kind, 'protocol-refused');
    assert.ok(isConnectionHeld(ends[0]));
    assert.equal(kernel.isClosed, true);
  });

  test('reads from main what is not local, for the uid that reads, and answers once it has come', async () => {
    start({ 'a.py': 'print(1)' });
    assert.equal(kernel.ask('read', node('a.py'), range(6, 100), { unique: 8, uid: 50 }), undefined);
    const [fetch] = await fetched(1);
    assert.deepEqual([fetch?.path, fetch?.chunk, fetch?.reader], ['a.py', undefined, 50]);
    fetch?.answer({ kind: 'memory', bytes: Buffer.from('print(1)') });
    await answered(1);
    assert.deepEqual([kernel.replies[0]?.unique, kernel.replies[0]?.body.toString()], [8, '1)']);
    // What was handed over in memory is kept for a while: nothing is fetched twice.
    kernel.ask('read', node('a.py'), range(0, 5), { unique: 10 });
    await answered(2);
    assert.equal(kernel.replies[1]?.body.toString(), 'print');
    assert.equal(fetches.length, 1);
  });

  for (const [failure, errno] of [
    ['unavailable', 'EIO'],
    ['replaced', 'ESTALE'],
  ] as const) {
    test(`answers a read of what is ${failure} with ${errno}, and counts it`, async () => {
      start({ 'a.py': 'a' });
      kernel.ask('read', node('a.py'), range(0, 10));
      (await fetched(1))[0]?.answer({ kind: 'error', failure });
      await answered(1);
      assert.equal(kernel.replies[0]?.error, -ERRNO[errno]);
      assert.deepEqual(session.counters().readErrors, { [errno]: 1 });
    });
  }

  test('answers several requests that were read at once, each by its own number', async () => {
    start({ 'a.py': 'a', 'b.py': 'bb' });
    kernel.send(
      requestBytes('getattr', node('b.py'), words(0, 0, 0, 0), { unique: 2 }),
      requestBytes('read', node('a.py'), range(0, 10), { unique: 4 }),
      requestBytes('lookup', ROOT, name('b.py'), { unique: 6 }),
    );
    assert.deepEqual(
      kernel.replies.map(({ unique }) => unique),
      [2, 6],
    );
    (await fetched(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('a') });
    await answered(3);
    assert.equal(kernel.replies[2]?.unique, 4);
  });

  test('gives an uid only a part of the places for reads that wait', async () => {
    start({ 'a.py': 'a' });
    let unique = 2;
    for (; kernel.replies.length === 0 && unique < 10_000; unique += 2) {
      kernel.ask('read', node('a.py'), range(0, 10), { unique, uid: 7 });
    }
    assert.deepEqual([kernel.replies.length, kernel.replies[0]?.error], [1, -ERRNO.EIO]);
    assert.equal(kernel.ask('read', node('a.py'), range(0, 10), { unique, uid: 8 }), undefined);
    for (const { answer } of await fetched(2)) answer({ kind: 'memory', bytes: Buffer.from('a') });
    await answered(unique / 2);
    assert.equal(fetches.length, 2, 'all of one uid wait for one fetch');
  });

  test('lets a read go whose reader is dying, with EINTR', async () => {
    start({ 'a.py': 'a' });
    // No process has this id: it is gone.
    kernel.ask('read', node('a.py'), range(0, 10), { unique: 8, pid: 2 ** 22 + 1 });
    const [fetch] = await fetched(1);
    kernel.ask('interrupt', 0, words(8, 0), { unique: 9 });
    await answered(1);
    assert.deepEqual([kernel.replies[0]?.unique, kernel.replies[0]?.error], [8, -ERRNO.EINTR]);
    await waitFor('the fetch to be given up', () => fetch?.signal.aborted);
  });

  test('answers a request for what main alone knows once main has said it', async () => {
    start({ 'a.py': 'a' });
    kernel.ask('getxattr', node('a.py'), Buffer.concat([words(100, 0), name('user.dagmount.version-id')]));
    await answered(1);
    assert.equal(kernel.replies[0]?.body.toString(), 'v1');
    for (const [at, attribute] of ['seq', 'staleness'].entries()) {
      kernel.ask('getxattr', 1, Buffer.concat([words(100, 0), name(`user.dagmount.${attribute}`)]));
      await answered(at + 2);
    }
    assert.equal(kernel.replies[1]?.body.toString(), '42');
    assert.equal(kernel.replies[2]?.error, -ERRNO.ENODATA);
  });

  test('answers a fault of its own with EIO, and goes on', () => {
    start(
      { 'a.py': 'a' },
      {
        versionIdOf: () => {
          throw new Error('unforeseen');
        },
      },
    );
    const asked = Buffer.concat([words(100, 0), name('user.dagmount.version-id')]);
    assert.equal(kernel.ask('getxattr', node('a.py'), asked)?.error, -ERRNO.EIO);
    assert.match(faults[0] ?? '', /^getxattr: .*unforeseen/);
    assert.equal(kernel.ask('getattr', node('a.py'), words(0, 0, 0, 0))?.error, 0);
  });

  test('survives bytes that are no request', () => {
    start({ 'a.py': 'a' });
    for (let seed = 1; seed < 400; seed++) {
      const length = (seed * 37) % 200;
      const bytes = Buffer.from(
        Array.from({ length }, (_, at) => (seed * 131 + at * at * 29 + (at >> 3) * seed) & 255),
      );
      kernel.send(bytes);
    }
    assert.deepEqual(faults, []);
    assert.ok(session.counters().malformed > 300);
    assert.equal(kernel.ask('getattr', node('a.py'), words(0, 0, 0, 0))?.error, 0);
  });

  test('counts a reply that the kernel did not take, unless its reader was interrupted', () => {
    start({ 'a.py': 'a' });
    kernel.refusal = ERRNO.ENOENT;
    kernel.ask('getattr', node('a.py'), words(0, 0, 0, 0));
    assert.equal(session.counters().refused, 0);
    kernel.refusal = ERRNO.EINVAL;
    kernel.ask('getattr', node('a.py'), words(0, 0, 0, 0));
    assert.equal(session.counters().refused, 1);
  });

  test('shows a new tree at once, and says so once the kernel has answered every notification', async () => {
    start({ 'a.py': 'one', 'd/x.py': 'x' });
    kernel.answersNotifications = false;
    const old = node('a.py');
    const next = treeOf({ 'a.py': 'three', 'd/x.py': 'x', 'd/y.py': 'y' }, { number: 4 }, generation);
    let isTold = false;
    const published = session.publish(served(next.generation), next.changes!).then((outcome) => {
      isTold = true;
      return outcome;
    });
    const size = (nodeId: number): number | undefined => {
      const reply = kernel.ask('getattr', nodeId, words(0, 0, 0, 0));
      return reply?.error === 0 ? Number(reply.body.readBigUInt64LE(24)) : reply?.error;
    };
    const fresh = Number(kernel.ask('lookup', ROOT, name('a.py'))?.body.readBigUInt64LE(0));
    assert.notEqual(fresh, old);
    assert.deepEqual([size(fresh), size(old)], [5, 3], 'an open file keeps its version');
    const [job] = kernel.notifying;
    const codes = job?.messages.map(({ error }) => error) ?? [];
    assert.deepEqual(new Set(codes), new Set([NOTIFY_INVAL_ENTRY, NOTIFY_INVAL_INODE]));
    assert.ok(
      codes.lastIndexOf(NOTIFY_INVAL_ENTRY) < codes.indexOf(NOTIFY_INVAL_INODE),
      'names before directories',
    );
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isTold, false);
    // ENOENT: the kernel had nothing of that name. Any other is a failure.
    job?.answer([ERRNO.ENOENT, ERRNO.EINVAL]);
    const { sent, failed } = await published;
    assert.deepEqual([sent, failed], [codes.length, 1]);
    // It asks which of the replaced nodes the kernel still holds: ENOENT is none.
    await waitFor('the question', () => kernel.notifying.length > 1);
    kernel.notifying[1]?.answer(kernel.notifying[1].messages.map(() => ERRNO.ENOENT));
    await waitFor('its end', () => released.includes(old));
    assert.equal(size(old), -ERRNO.ESTALE);
  });

  test('lets go of the device only when its notifications have returned', async () => {
    start({ 'a.py': 'one' });
    kernel.answersNotifications = false;
    const next = treeOf({ 'a.py': 'three' }, { number: 4 }, generation);
    void session.publish(served(next.generation), next.changes!);
    const stopped = session.stop();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(kernel.isClosed, false);
    assert.equal(kernel.ask('getattr', ROOT, words(0, 0, 0, 0))?.error, 0, 'it answers meanwhile');
    kernel.answersNotifications = true;
    kernel.notifying[0]?.answer();
    await stopped;
    assert.equal(kernel.isClosed, true);
  });

  test('ends with the connection, told from an unmount, and answers nothing that comes too late', async () => {
    start({ 'a.py': 'a' });
    kernel.ask('read', node('a.py'), range(0, 10));
    const [fetch] = await fetched(1);
    kernel.end(ERRNO.ENODEV);
    assert.deepEqual(ends, [{ kind: 'closed' }]);
    fetch?.answer({ kind: 'memory', bytes: Buffer.from('a') });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(kernel.replies, []);
  });

  test('ends with the errno where the connection was aborted', () => {
    start({ 'a.py': 'a' });
    kernel.end(103);
    assert.deepEqual(ends, [{ kind: 'connection-failed', errno: 103 }]);
    assert.equal(isConnectionHeld(ends[0]!), false);
  });

  describe('that takes over', () => {
    const agreed = { flags: FUSE_HAS_RESEND } as InitReply;
    const takeover = (others: Partial<Takeover> = {}): Takeover => ({
      init: agreed,
      replaced: [],
      previous: undefined,
      ...others,
    });
    /** What a server leaves that was killed while these waited. */
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
      start({ 'a.py': 'a' }, { takeover: takeover() });
      assert.equal(kernel.replies[0]?.error, NOTIFY_RESEND);
      await waitFor('the word', () => serving.length === 1);
      assert.deepEqual(serving[0], {
        init: agreed,
        takenOver: { unanswered: 0, owed: 0, failed: 0, resends: true },
      });
      kernel.ask('getattr', node('a.py'), words(0, 0, 0, 0), { unique: 8, uniqueHigh: RESENT });
      assert.equal(session.counters().replayed, 1);
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
      start(files, { takeover: takeover({ init }), journal: new Journal(memory) }, tree);
      await waitFor('the word', () => serving.length === 1);
      assert.deepEqual((serving[0] as { takenOver: unknown }).takenOver, {
        unanswered: 2,
        owed: 0,
        failed: 0,
        resends: false,
      });
      assert.equal(kernel.replies.length, 0);
      (await fetched(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('print(1)') });
      await answered(2);
      assert.deepEqual(kernel.answers.map(({ unique, body }) => [unique, body.toString()]).sort(), [
        [10, '(1)'],
        [8, 'print'],
      ]);
      assert.deepEqual(new Journal(memory).unanswered(), [], 'nobody answers them once more');
      assert.equal(session.counters().replayed, 2);
    });

    test('leaves what the kernel sends again to the kernel', async () => {
      const memory = leftBy(requestBytes('read', 2, range(0, 5), { unique: 8 }));
      start({ 'a.py': 'a' }, { takeover: takeover(), journal: new Journal(memory) });
      await waitFor('the word', () => serving.length === 1);
      assert.equal(fetches.length, 0);
      assert.deepEqual(new Journal(memory).unanswered(), []);
    });

    test('tells the kernel what the one before may have owed it', async () => {
      const { generation: previous } = treeOf({ 'a.py': 'one', 'gone.py': 'g' });
      const next = treeOf({ 'a.py': 'three' }, { number: 4 }, previous);
      start({}, { takeover: takeover({ previous: previous.buffer }) }, next.generation);
      await waitFor('the word', () => serving.length === 1);
      const { takenOver } = serving[0] as { takenOver: { owed: number } };
      assert.ok(takenOver.owed >= 2);
      assert.equal(kernel.notifying[0]?.messages.length, takenOver.owed);
    });

    test('keeps a read that waits in the journal until it is answered', async () => {
      const memory = new ArrayBuffer(JOURNAL_BYTES);
      start({ 'a.py': 'a' }, { journal: new Journal(memory) });
      kernel.ask('read', node('a.py'), range(0, 5), { unique: 8 });
      assert.equal(new Journal(memory).unanswered().length, 1);
      (await fetched(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('a') });
      await answered(1);
      assert.deepEqual(new Journal(memory).unanswered(), []);
    });
  });
});
