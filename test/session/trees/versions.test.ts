import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { KernelSession } from '../../../src/session/kernel/kernel-session.ts';
import type { ServedVersion, VersionAnswer, VersionsServed } from '../../../src/session/messages.ts';
import { RequestMeter } from '../../../src/session/request-meter.ts';
import { MountedTrees } from '../../../src/session/trees/mounted-trees.ts';
import { CURRENT_ROOT_ID, VERSIONS_ID, versionRootId } from '../../../src/session/trees/node-ranges.ts';
import { VersionTable } from '../../../src/session/trees/version-table.ts';
import { ERRNO } from '../../../src/wire/index.ts';
import { waitFor } from '../../support/wait-for.ts';
import { FakeKernel } from '../kernel/fake-kernel.ts';
import type { Files } from '../live-session.ts';
import { name, type ReplyMessage, range, words } from '../messages.ts';
import { mountedTree, served, treeOf } from '../trees.ts';

const ROOT = 1;
/** The bit in the high half of a unique number with which the kernel sends a request again. */
const RESENT = 0x80000000;
/** As in test/session/trees.ts. */
const SALT = 7n;
const AT = { seconds: 1_700_000_000, nanoseconds: 0 };
const FOREVER = 2n ** 64n - 1n;

const idOf = (digit: string): string => `sha256-${digit.repeat(64)}`;
const [ONE, TWO, NEVER] = ['1', '2', 'e'].map(idOf) as [string, string, string];

interface Entry {
  readonly nodeId: number;
  /** Seconds. */
  readonly entryTtl: bigint;
  readonly attributesTtl: bigint;
}

function entryOf(reply: ReplyMessage | undefined): Entry {
  assert.equal(reply?.error, 0);
  const at = (offset: number): bigint => reply.body.readBigUInt64LE(offset);
  return { nodeId: Number(at(0)), entryTtl: at(16), attributesTtl: at(24) };
}

function namesOf(reply: ReplyMessage | undefined): string[] {
  const names: string[] = [];
  const body = reply?.body ?? Buffer.alloc(0);
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32LE(at + 16);
    names.push(body.toString('utf8', at + 24, at + 24 + length));
    at += (24 + length + 7) & ~7;
  }
  return names;
}

function versionOf(id: string, slot: number, files: Files): ServedVersion {
  return { id, slot, ...served(treeOf(files).generation) };
}

describe('paths of a mount that shows versions', () => {
  test('begin with the directory of their tree', () => {
    const { generation } = treeOf({ 'd/a.py': 'now' });
    const table = new VersionTable(
      { versions: [versionOf(ONE, 1, { 'd/a.py': 'then' })], madeAt: AT, changedAt: AT },
      SALT,
      () => undefined,
    );
    const trees = new MountedTrees([mountedTree(generation)], () => table);
    const inVersion = trees.find(`versions/${ONE}/d`);
    assert.ok(inVersion?.kind === 'entry');
    const { tree, index } = inVersion;
    const nodeIds = {
      '': ROOT,
      current: CURRENT_ROOT_ID,
      'current/d': generation.nodeId(generation.find('d')),
      versions: VERSIONS_ID,
      [`versions/${ONE}`]: versionRootId(ONE, SALT),
      [`versions/${ONE}/d`]: tree.placement.nodeId(tree.generation, index),
    };
    for (const [path, nodeId] of Object.entries(nodeIds)) assert.equal(trees.path(nodeId), path);
    assert.equal(trees.path(4_711), undefined);
  });
});

describe('a session that shows versions', () => {
  let kernel: FakeKernel;
  let session: KernelSession;
  let sought: { id: string; reader: number; aborted: () => boolean; answer: (a: VersionAnswer) => void }[];
  let used: string[];
  const { generation } = treeOf({ 'a.py': 'now', 'd/b.py': 'b' });

  const start = (versions: Partial<VersionsServed> = {}): void => {
    kernel = new FakeKernel();
    session = new KernelSession({
      addon: kernel.addon,
      fd: 0,
      trees: [mountedTree(generation)],
      versions: { versions: [], madeAt: AT, changedAt: AT, ...versions },
      presentation: { uid: 0, gid: 0, umask: 0o222 },
      meter: new RequestMeter(RequestMeter.memory()),
      fetchOf: () => async () => ({ kind: 'memory', bytes: Buffer.from('one') }),
      versionIdOf: async () => undefined,
      rootAttributeOf: async () => undefined,
      findVersion: (id, reader, signal) =>
        new Promise((answer) => sought.push({ id, reader, aborted: () => signal.aborted, answer })),
      onVersionUsed: (id) => used.push(id),
      onServing: () => undefined,
      onFault: (error) => {
        throw error;
      },
      onReleased: () => undefined,
      onStuck: () => undefined,
      onEnd: () => undefined,
    });
  };
  const lookup = (parent: number, text: string) => kernel.ask('lookup', parent, name(text));
  const getattr = (node: number, unique = 100, uid = 0) =>
    kernel.ask('getattr', node, words(0, 0, 0, 0), { unique, uid });
  const found = (id: string, slot: number, files: Files): VersionAnswer => ({
    kind: 'found',
    version: versionOf(id, slot, files),
    changedAt: { ...AT, seconds: AT.seconds + 1 },
  });
  const replyTo = async (unique: number): Promise<ReplyMessage> =>
    waitFor(`the reply to ${unique}`, () => kernel.replies.find((reply) => reply.unique === unique));

  beforeEach(() => {
    sought = [];
    used = [];
  });
  afterEach(() => session.stop());

  test('has the current tree and versions/ in its root', () => {
    start();
    assert.deepEqual(namesOf(kernel.ask('readdir', ROOT, range(0, 4096))), [
      '.',
      '..',
      'current',
      'versions',
    ]);
    const current = entryOf(lookup(ROOT, 'current'));
    assert.deepEqual(current, { nodeId: CURRENT_ROOT_ID, entryTtl: FOREVER, attributesTtl: FOREVER });
    assert.equal(entryOf(lookup(ROOT, 'versions')).nodeId, VERSIONS_ID);
    const absent = entryOf(lookup(ROOT, 'other'));
    assert.deepEqual([absent.nodeId, absent.entryTtl], [0, FOREVER]);
    const file = entryOf(lookup(CURRENT_ROOT_ID, 'a.py'));
    assert.equal(file.nodeId, generation.nodeId(generation.find('a.py')));
    assert.equal(entryOf(lookup(CURRENT_ROOT_ID, '..')).nodeId, ROOT);
    assert.equal(entryOf(lookup(VERSIONS_ID, '..')).nodeId, ROOT);
  });

  test('has the kernel ask for the attributes of versions/ each second, and never again for those of its root', () => {
    start();
    const ttl = (node: number): bigint | undefined => getattr(node)?.body.readBigUInt64LE(0);
    assert.deepEqual([ttl(ROOT), ttl(VERSIONS_ID)], [FOREVER, 1n]);
  });

  test('answers the look-up of a version that is not here at once, and has the question for its attributes wait', async () => {
    start();
    const entry = entryOf(lookup(VERSIONS_ID, ONE));
    assert.deepEqual(entry, { nodeId: versionRootId(ONE, SALT), entryTtl: 0n, attributesTtl: 0n });
    assert.equal(sought.length, 0);
    // Eight waiting requests cause one look-up.
    for (let at = 0; at < 8; at++) assert.equal(getattr(entry.nodeId, 100 + 2 * at), undefined);
    assert.deepEqual(
      sought.map(({ id }) => id),
      [ONE],
    );
    sought[0]?.answer(found(ONE, 0, { 'a.py': 'one', 'd/x.py': 'x' }));
    for (let at = 0; at < 8; at++) assert.equal((await replyTo(100 + 2 * at)).error, 0);
    assert.deepEqual(entryOf(lookup(VERSIONS_ID, ONE)), { ...entry, entryTtl: 60n, attributesTtl: 60n });
    assert.deepEqual(used, [ONE]);
    const file = entryOf(lookup(entry.nodeId, 'a.py'));
    assert.equal(file.entryTtl, FOREVER);
    assert.ok(file.nodeId >= 2 ** 52);
    assert.equal(entryOf(lookup(entry.nodeId, '..')).nodeId, VERSIONS_ID);
    kernel.ask('read', file.nodeId, range(0, 100), { unique: 200 });
    assert.equal((await replyTo(200)).body.toString(), 'one');
    assert.deepEqual(namesOf(kernel.ask('readdir', VERSIONS_ID, range(0, 4096))), ['.', '..', ONE]);
  });

  test('says ENOENT of a version that never was, EIO where the source cannot be asked, and asks anew each time', async () => {
    start();
    const { nodeId } = entryOf(lookup(VERSIONS_ID, NEVER));
    getattr(nodeId, 100);
    sought[0]?.answer({ kind: 'absent' });
    assert.equal((await replyTo(100)).error, -ERRNO.ENOENT);
    assert.equal(getattr(nodeId, 102)?.error, -ERRNO.ESTALE);
    assert.equal(entryOf(lookup(VERSIONS_ID, NEVER)).nodeId, nodeId);
    getattr(nodeId, 104);
    sought[1]?.answer({ kind: 'unavailable' });
    assert.equal((await replyTo(104)).error, -ERRNO.EIO);
    assert.deepEqual(namesOf(kernel.ask('readdir', VERSIONS_ID, range(0, 4096))), ['.', '..']);
  });

  test('says of a name that is no id, without a question and for no time, that it is not there', () => {
    start();
    for (const text of ['x', 'sha256-1', `${ONE}1`, ONE.toUpperCase()]) {
      const entry = entryOf(lookup(VERSIONS_ID, text));
      assert.deepEqual(entry, { nodeId: 0, entryTtl: 0n, attributesTtl: 0n });
    }
    assert.deepEqual(sought, []);
  });

  test('has a path looked up again whose look-up a predecessor was asked for', () => {
    start();
    const nodeId = versionRootId(ONE, SALT);
    assert.equal(getattr(nodeId, 100)?.error, -ERRNO.ESTALE);
    assert.equal(kernel.ask('readdir', nodeId, range(0, 4096))?.error, -ERRNO.ESTALE);
    assert.equal(entryOf(lookup(VERSIONS_ID, ONE)).nodeId, nodeId);
    assert.equal(getattr(nodeId, 102), undefined);
  });

  test('goes on with the versions that a predecessor had', () => {
    start({ versions: [versionOf(TWO, 5, { 'a.py': 'two' })] });
    const { nodeId, entryTtl } = entryOf(lookup(VERSIONS_ID, TWO));
    assert.equal(entryTtl, 60n);
    assert.equal(getattr(nodeId)?.error, 0);
    assert.equal(entryOf(lookup(nodeId, 'a.py')).nodeId, 2 ** 52 + 5 * 2 ** 26 + 2);
  });

  test('lets so many of one uid wait and no more, and others still', () => {
    start();
    const idAt = (at: number): string => `sha256-${at.toString(16).padStart(64, '0')}`;
    let waiting = 0;
    for (; waiting < 2000; waiting++) {
      const { nodeId } = entryOf(lookup(VERSIONS_ID, idAt(waiting)));
      const reply = getattr(nodeId, 100 + 2 * waiting, 7);
      if (reply === undefined) continue;
      assert.equal(reply.error, -ERRNO.EIO);
      break;
    }
    assert.equal(waiting, 256);
    const { nodeId } = entryOf(lookup(VERSIONS_ID, ONE));
    assert.equal(getattr(nodeId, 10_000, 8), undefined);
    assert.equal(sought.at(-1)?.reader, 8);
  });

  test('has all of them wait whom the kernel sends again', async () => {
    start();
    const { nodeId } = entryOf(lookup(VERSIONS_ID, ONE));
    const uniques = Array.from({ length: 200 }, (_, at) => 100 + 2 * at);
    for (const uniqueHigh of [0, RESENT])
      for (const unique of uniques)
        kernel.ask('getattr', nodeId, words(0, 0, 0, 0), { unique, uniqueHigh, uid: 7 });
    const answered = kernel.replies.length;
    sought[0]?.answer(found(ONE, 0, { 'a.py': 'one' }));
    await waitFor('all answers', () => kernel.replies.length === answered + 2 * uniques.length);
    assert.ok(kernel.replies.every(({ error }) => error === 0));
  });

  test('gives a look-up up when all who waited have died', async () => {
    start();
    const { nodeId } = entryOf(lookup(VERSIONS_ID, ONE));
    // No process has this id, so the reader counts as dead.
    kernel.ask('getattr', nodeId, words(0, 0, 0, 0), { unique: 100, pid: 2 ** 30 });
    kernel.ask('interrupt', 0, words(100, 0), { unique: 102 });
    assert.equal((await replyTo(100)).error, -ERRNO.EINTR);
    assert.equal(sought[0]?.aborted(), true);
  });

  test('drops a version only if the kernel holds nothing of it, and nothing was asked of it meanwhile', async () => {
    start({ versions: [versionOf(ONE, 0, { 'a.py': 'one' }), versionOf(TWO, 1, { 'a.py': 'two' })] });
    kernel.answersNotifications = false;
    const drop = async (errnos: readonly number[], meanwhile: () => void = () => undefined) => {
      const before = kernel.notifying.length;
      const dropped = session.dropVersion(ONE, { ...AT, seconds: AT.seconds + 2 });
      await waitFor('the pruning', () => kernel.notifying.length > before);
      setImmediate(() => kernel.notifying[before]?.answer());
      await waitFor('the questions', () => kernel.notifying.length > before + 1);
      meanwhile();
      setImmediate(() => kernel.notifying[before + 1]?.answer(errnos));
      return dropped;
    };
    const gone = [ERRNO.ENOENT, ERRNO.ENOENT];
    assert.equal(await drop([ERRNO.ENOENT, 0]), false);
    assert.equal(await drop(gone, () => void lookup(VERSIONS_ID, ONE)), false);
    assert.equal(entryOf(lookup(VERSIONS_ID, ONE)).entryTtl, 60n);
    assert.equal(await drop(gone), true);
    assert.equal(entryOf(lookup(VERSIONS_ID, ONE)).entryTtl, 0n);
    assert.deepEqual(namesOf(kernel.ask('readdir', VERSIONS_ID, range(0, 4096))), ['.', '..', TWO]);
  });
});
