import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isConnectionHeld } from '../../../src/session/session-end.ts';
import { ERRNO } from '../../../src/wire/index.ts';
import { waitFor } from '../../support/wait-for.ts';
import { name, range, requestBytes, words } from '../messages.ts';
import { served, treeOf } from '../trees.ts';
import { SessionOnBytes } from './session-on-bytes.ts';

const ROOT = 1;
const NOTIFY_INVAL_INODE = 2;
const NOTIFY_INVAL_ENTRY = 3;

/** The body of INIT as Linux 6.12 sends it. */
const INIT = words(7, 41, 131_072, 0x7fff_ffff, 0x0001_ffff, ...new Array(11).fill(0));

describe('a session, with no kernel but its bytes', () => {
  let f: SessionOnBytes;

  beforeEach(() => {
    f = new SessionOnBytes();
  });
  afterEach(() => f.stop());

  test('answers INIT with what both can do, and serves from then on', () => {
    f.start({ 'a.py': 'a' });
    const reply = f.kernel.ask('init', 0, INIT);
    assert.deepEqual([reply?.error, reply?.body.readUInt32LE(0)], [0, 7]);
    assert.equal(f.serving.length, 1);
    assert.deepEqual(f.ends, []);
  });

  test('refuses a kernel that is too old, and ends with the reason', () => {
    f.start({ 'a.py': 'a' });
    const old = words(7, 27, 131_072, 0, ...new Array(12).fill(0));
    assert.equal(f.kernel.ask('init', 0, old)?.error, -ERRNO.EPROTO);
    assert.equal(f.ends[0]?.kind, 'protocol-refused');
    assert.ok(isConnectionHeld(f.ends[0]));
    assert.equal(f.kernel.isClosed, true);
  });

  test('reads from main what is not local, for the uid that reads, and answers once it has come', async () => {
    f.start({ 'a.py': 'print(1)' });
    assert.equal(f.kernel.ask('read', f.node('a.py'), range(6, 100), { unique: 8, uid: 50 }), undefined);
    const [fetch] = await f.fetched(1);
    assert.deepEqual([fetch?.path, fetch?.chunk, fetch?.reader], ['a.py', undefined, 50]);
    fetch?.answer({ kind: 'memory', bytes: Buffer.from('print(1)') });
    await f.answered(1);
    assert.deepEqual([f.kernel.replies[0]?.unique, f.kernel.replies[0]?.body.toString()], [8, '1)']);
    // The session keeps content that came in memory for a while, so it fetches nothing twice.
    f.kernel.ask('read', f.node('a.py'), range(0, 5), { unique: 10 });
    await f.answered(2);
    assert.equal(f.kernel.replies[1]?.body.toString(), 'print');
    assert.equal(f.fetches.length, 1);
  });

  for (const [failure, errno] of [
    ['unavailable', 'EIO'],
    ['replaced', 'ESTALE'],
  ] as const) {
    test(`answers a read of what is ${failure} with ${errno}, and counts it`, async () => {
      f.start({ 'a.py': 'a' });
      f.kernel.ask('read', f.node('a.py'), range(0, 10));
      (await f.fetched(1))[0]?.answer({ kind: 'error', failure });
      await f.answered(1);
      assert.equal(f.kernel.replies[0]?.error, -ERRNO[errno]);
      assert.deepEqual(f.session.counters().readErrors, { [errno]: 1 });
    });
  }

  test('answers several requests that were read at once, each by its own number', async () => {
    f.start({ 'a.py': 'a', 'b.py': 'bb' });
    f.kernel.send(
      requestBytes('getattr', f.node('b.py'), words(0, 0, 0, 0), { unique: 2 }),
      requestBytes('read', f.node('a.py'), range(0, 10), { unique: 4 }),
      requestBytes('lookup', ROOT, name('b.py'), { unique: 6 }),
    );
    assert.deepEqual(
      f.kernel.replies.map(({ unique }) => unique),
      [2, 6],
    );
    (await f.fetched(1))[0]?.answer({ kind: 'memory', bytes: Buffer.from('a') });
    await f.answered(3);
    assert.equal(f.kernel.replies[2]?.unique, 4);
  });

  test('gives an uid only a part of the places for reads that wait', async () => {
    f.start({ 'a.py': 'a' });
    let unique = 2;
    for (; f.kernel.replies.length === 0 && unique < 10_000; unique += 2) {
      f.kernel.ask('read', f.node('a.py'), range(0, 10), { unique, uid: 7 });
    }
    assert.deepEqual([f.kernel.replies.length, f.kernel.replies[0]?.error], [1, -ERRNO.EIO]);
    assert.equal(f.kernel.ask('read', f.node('a.py'), range(0, 10), { unique, uid: 8 }), undefined);
    for (const { answer } of await f.fetched(2)) answer({ kind: 'memory', bytes: Buffer.from('a') });
    await f.answered(unique / 2);
    assert.equal(f.fetches.length, 2, 'all of one uid wait for one fetch');
  });

  test('lets a read go whose reader is dying, with EINTR', async () => {
    f.start({ 'a.py': 'a' });
    // No process has this id, so the reader counts as gone.
    f.kernel.ask('read', f.node('a.py'), range(0, 10), { unique: 8, pid: 2 ** 22 + 1 });
    const [fetch] = await f.fetched(1);
    f.kernel.ask('interrupt', 0, words(8, 0), { unique: 9 });
    await f.answered(1);
    assert.deepEqual([f.kernel.replies[0]?.unique, f.kernel.replies[0]?.error], [8, -ERRNO.EINTR]);
    await waitFor('the fetch to be given up', () => fetch?.signal.aborted);
  });

  test('answers a request for what main alone knows once main has said it', async () => {
    f.start({ 'a.py': 'a' });
    f.kernel.ask(
      'getxattr',
      f.node('a.py'),
      Buffer.concat([words(100, 0), name('user.dagmount.version-id')]),
    );
    await f.answered(1);
    assert.equal(f.kernel.replies[0]?.body.toString(), 'v1');
    for (const [at, attribute] of ['seq', 'staleness'].entries()) {
      f.kernel.ask('getxattr', 1, Buffer.concat([words(100, 0), name(`user.dagmount.${attribute}`)]));
      await f.answered(at + 2);
    }
    assert.equal(f.kernel.replies[1]?.body.toString(), '42');
    assert.equal(f.kernel.replies[2]?.error, -ERRNO.ENODATA);
  });

  test('answers a fault of its own with EIO, and goes on', () => {
    f.start(
      { 'a.py': 'a' },
      {
        versionIdOf: () => {
          throw new Error('unforeseen');
        },
      },
    );
    const asked = Buffer.concat([words(100, 0), name('user.dagmount.version-id')]);
    assert.equal(f.kernel.ask('getxattr', f.node('a.py'), asked)?.error, -ERRNO.EIO);
    assert.match(f.faults[0] ?? '', /^getxattr: .*unforeseen/);
    assert.equal(f.kernel.ask('getattr', f.node('a.py'), words(0, 0, 0, 0))?.error, 0);
  });

  test('survives bytes that are no request', () => {
    f.start({ 'a.py': 'a' });
    for (let seed = 1; seed < 400; seed++) {
      const length = (seed * 37) % 200;
      const bytes = Buffer.from(
        Array.from({ length }, (_, at) => (seed * 131 + at * at * 29 + (at >> 3) * seed) & 255),
      );
      f.kernel.send(bytes);
    }
    assert.deepEqual(f.faults, []);
    assert.ok(f.session.counters().malformed > 300);
    assert.equal(f.kernel.ask('getattr', f.node('a.py'), words(0, 0, 0, 0))?.error, 0);
  });

  test('counts a reply that the kernel did not take, unless its reader was interrupted', () => {
    f.start({ 'a.py': 'a' });
    f.kernel.refusal = ERRNO.ENOENT;
    f.kernel.ask('getattr', f.node('a.py'), words(0, 0, 0, 0));
    assert.equal(f.session.counters().refused, 0);
    f.kernel.refusal = ERRNO.EINVAL;
    f.kernel.ask('getattr', f.node('a.py'), words(0, 0, 0, 0));
    assert.equal(f.session.counters().refused, 1);
  });

  test('shows a new tree at once, and says so once the kernel has answered every notification', async () => {
    f.start({ 'a.py': 'one', 'd/x.py': 'x' });
    f.kernel.answersNotifications = false;
    const old = f.node('a.py');
    const next = treeOf({ 'a.py': 'three', 'd/x.py': 'x', 'd/y.py': 'y' }, { number: 4 }, f.generation);
    let isTold = false;
    const published = f.session.publish(0, served(next.generation), next.changes!).then((outcome) => {
      isTold = true;
      return outcome;
    });
    const size = (nodeId: number): number | undefined => {
      const reply = f.kernel.ask('getattr', nodeId, words(0, 0, 0, 0));
      return reply?.error === 0 ? Number(reply.body.readBigUInt64LE(24)) : reply?.error;
    };
    const fresh = Number(f.kernel.ask('lookup', ROOT, name('a.py'))?.body.readBigUInt64LE(0));
    assert.notEqual(fresh, old);
    assert.deepEqual([size(fresh), size(old)], [5, 3], 'an open file keeps its version');
    const [job] = f.kernel.notifying;
    const codes = job?.messages.map(({ error }) => error) ?? [];
    assert.deepEqual(new Set(codes), new Set([NOTIFY_INVAL_ENTRY, NOTIFY_INVAL_INODE]));
    assert.ok(
      codes.lastIndexOf(NOTIFY_INVAL_ENTRY) < codes.indexOf(NOTIFY_INVAL_INODE),
      'names before directories',
    );
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isTold, false);
    // ENOENT: the kernel had no such name. Any other errno is a failure.
    job?.answer([ERRNO.ENOENT, ERRNO.EINVAL]);
    const { sent, failed } = await published;
    assert.deepEqual([sent, failed], [codes.length, 1]);
    // The session asks which replaced nodes the kernel still holds. ENOENT: it does not hold that node.
    await waitFor('the question', () => f.kernel.notifying.length > 1);
    f.kernel.notifying[1]?.answer(f.kernel.notifying[1].messages.map(() => ERRNO.ENOENT));
    await waitFor('its end', () => f.released.includes(old));
    assert.equal(size(old), -ERRNO.ESTALE);
  });

  test('lets go of the device only when its notifications have returned', async () => {
    f.start({ 'a.py': 'one' });
    f.kernel.answersNotifications = false;
    const next = treeOf({ 'a.py': 'three' }, { number: 4 }, f.generation);
    void f.session.publish(0, served(next.generation), next.changes!);
    const stopped = f.session.stop();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(f.kernel.isClosed, false);
    assert.equal(f.kernel.ask('getattr', ROOT, words(0, 0, 0, 0))?.error, 0, 'it answers meanwhile');
    f.kernel.answersNotifications = true;
    f.kernel.notifying[0]?.answer();
    await stopped;
    assert.equal(f.kernel.isClosed, true);
  });

  test('ends with the connection, told from an unmount, and answers nothing that comes too late', async () => {
    f.start({ 'a.py': 'a' });
    f.kernel.ask('read', f.node('a.py'), range(0, 10));
    const [fetch] = await f.fetched(1);
    f.kernel.end(ERRNO.ENODEV);
    assert.deepEqual(f.ends, [{ kind: 'closed' }]);
    fetch?.answer({ kind: 'memory', bytes: Buffer.from('a') });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(f.kernel.replies, []);
  });

  test('ends with the errno where the connection was aborted', () => {
    f.start({ 'a.py': 'a' });
    f.kernel.end(103);
    assert.deepEqual(f.ends, [{ kind: 'connection-failed', errno: 103 }]);
    assert.equal(isConnectionHeld(f.ends[0]!), false);
  });
});
