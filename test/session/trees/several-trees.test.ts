import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { KernelSession } from '../../../src/session/kernel/kernel-session.ts';
import type { LeftOfTree, Moment, MountedTree, Serving } from '../../../src/session/messages.ts';
import { RequestMeter } from '../../../src/session/request-meter.ts';
import type { Generation } from '../../../src/tree/index.ts';
import { ERRNO } from '../../../src/wire/index.ts';
import { waitFor } from '../../support/wait-for.ts';
import { FakeKernel } from '../kernel/fake-kernel.ts';
import { name, type ReplyMessage, range, words } from '../messages.ts';
import { mountedTree, served, treeOf } from '../trees.ts';

const ROOT = 1;
const at = (seconds: number): Moment => ({ seconds, nanoseconds: 0 });

interface Found {
  readonly nodeId: number;
  /** Seconds. */
  readonly entryTtl: bigint;
}

describe('a session that shows several trees', () => {
  let kernel: FakeKernel;
  let session: KernelSession;
  let fetched: { readonly tree: number; readonly path: string }[];
  let released: { readonly tree: number; readonly nodeIds: readonly number[] }[];
  let serving: Pick<Serving, 'init' | 'takenOver'>[];

  const start = (trees: readonly MountedTree[], takeover = false): void => {
    kernel = new FakeKernel();
    fetched = [];
    released = [];
    serving = [];
    session = new KernelSession({
      addon: kernel.addon,
      fd: 0,
      trees,
      presentation: { uid: 0, gid: 0, umask: 0o222 },
      meter: new RequestMeter(RequestMeter.memory()),
      fetchOf: (tree) => async (version) => {
        fetched.push({ tree, path: version.path });
        return { kind: 'memory', bytes: Buffer.from(`of ${tree}`) };
      },
      versionIdOf: async ({ tree }) => `version of ${tree}`,
      rootAttributeOf: async ({ tree, attribute }) => `${attribute} of ${tree}`,
      findVersion: async () => ({ kind: 'absent' }),
      onVersionUsed: () => undefined,
      onServing: (word) => serving.push(word),
      onFault: (error) => {
        throw error;
      },
      onReleased: (tree, nodeIds) => released.push({ tree, nodeIds }),
      onStuck: () => undefined,
      onEnd: () => undefined,
      ...(takeover && { takeover: { init: undefined } }),
    });
  };
  afterEach(() => session.stop());

  const tree = (
    path: string,
    generation: Generation | undefined,
    seconds = 100,
    left?: Partial<LeftOfTree>,
  ): MountedTree => {
    const { naming, cacheDirectory } = mountedTree(treeOf({}).generation);
    const shown = generation && { ...served(generation), since: at(seconds) };
    const leftOfTree = left && { replaced: [], previous: undefined, ...left };
    return { path, naming, cacheDirectory, shown, left: leftOfTree };
  };
  const lookup = (parent: number, child: string): Found | undefined => {
    const reply = kernel.ask('lookup', parent, name(child));
    assert.equal(reply?.error, 0, child);
    const nodeId = Number(reply.body.readBigUInt64LE(0));
    return nodeId === 0 ? undefined : { nodeId, entryTtl: reply.body.readBigUInt64LE(16) };
  };
  const find = (path: string): number =>
    path.split('/').reduce((parent, child) => lookup(parent, child)?.nodeId ?? assert.fail(path), ROOT);
  const list = (nodeId: number): string[] => namesOf(kernel.ask('readdir', nodeId, range(0, 4096)));
  const text = async (nodeId: number): Promise<string> => {
    const before = kernel.answers.length;
    kernel.ask('read', nodeId, range(0, 100));
    await waitFor('the answer', () => kernel.answers.length > before);
    return kernel.answers.at(-1)?.body.toString() ?? '';
  };
  const mtime = (nodeId: number): bigint | undefined =>
    kernel.ask('getattr', nodeId, words(0, 0, 0, 0))?.body.readBigUInt64LE(16 + 32);

  const one = treeOf({ 'a.py': 'of 0', 'd/b.py': 'of 0' }).generation;
  const two = treeOf({ 'a.py': 'of 1', 'd/b.py': 'of 1' }).generation;

  test('has each under its path, with node ids of its own', async () => {
    start([tree('shared', one), tree('team/two', two)]);
    assert.deepEqual(list(ROOT), ['.', '..', 'shared', 'team']);
    assert.deepEqual(list(find('team')), ['.', '..', 'two']);
    assert.deepEqual(new Set(list(find('team/two'))), new Set(['.', '..', 'a.py', 'd']));
    const paths = ['shared', 'shared/a.py', 'shared/d', 'shared/d/b.py'];
    const ids = [...paths, ...paths.map((path) => path.replace('shared', 'team/two')), 'team'].map(find);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => Number.isSafeInteger(id) && id > ROOT));
    assert.equal(await text(find('shared/a.py')), 'of 0');
    assert.equal(await text(find('team/two/a.py')), 'of 1');
    assert.deepEqual(fetched, [
      { tree: 0, path: 'a.py' },
      { tree: 1, path: 'a.py' },
    ]);
    assert.equal(lookup(find('team/two'), '..')?.nodeId, find('team'));
    assert.equal(lookup(find('team'), '..')?.nodeId, ROOT);
  });

  test('has no name for one that has nothing to show, until it is shown', () => {
    start([tree('shared', one, 100), tree('team/two', undefined)]);
    assert.deepEqual(list(ROOT), ['.', '..', 'shared']);
    assert.equal(lookup(ROOT, 'team'), undefined);
    assert.equal(mtime(ROOT), 100n);
    session.show(1, { ...served(two), since: at(200) });
    assert.deepEqual(list(ROOT), ['.', '..', 'shared', 'team']);
    assert.equal(mtime(ROOT), 200n, 'the kernel drops its listing');
    assert.ok(find('team/two/d/b.py') > 0);
    assert.equal(kernel.notifying.length, 0);
  });

  test('lets the kernel remember what is missing, and its own directories, once all trees are shown', () => {
    const ttls = (): readonly bigint[] => [
      kernel.ask('lookup', ROOT, name('missing'))!.body.readBigUInt64LE(16),
      kernel.ask('lookup', ROOT, name('team'))!.body.readBigUInt64LE(16),
      kernel.ask('getattr', ROOT, words(0, 0, 0, 0))!.body.readBigUInt64LE(0),
    ];
    start([tree('shared', one), tree('team/one', one), tree('team/two', undefined)]);
    assert.deepEqual(ttls(), [0n, 1n, 1n]);
    session.show(2, { ...served(two), since: at(200) });
    assert.ok(ttls().every((seconds) => seconds > 1_000_000n));
  });

  test('swaps one, and tells the kernel nothing of the others', async () => {
    start([tree('shared', one), tree('team/two', two)]);
    const [replaced, other] = [find('team/two/a.py'), find('shared/a.py')];
    const next = treeOf({ 'a.py': 'longer', 'd/b.py': 'of 1' }, { number: 4 }, two);
    await session.publish(1, served(next.generation), next.changes!);
    const told = kernel.notifying.flatMap(({ messages }) => messages);
    const parent = (message: { readonly body: Buffer }): number => Number(message.body.readBigUInt64LE(0));
    assert.ok(told.length > 0);
    const ofShared = new Set([find('shared'), other, find('shared/d'), find('shared/d/b.py'), ROOT]);
    assert.deepEqual(
      told.filter((message) => ofShared.has(parent(message as { readonly body: Buffer }))),
      [],
    );
    assert.notEqual(find('team/two/a.py'), replaced);
    assert.equal(find('shared/a.py'), other);
  });

  test('gives back the nodes of a tree by the ids of that tree', async () => {
    start([tree('shared', one), tree('team/two', two)]);
    kernel.answersNotifications = false;
    const next = treeOf({ 'd/b.py': 'of 1' }, { number: 4 }, two);
    const published = session.publish(1, served(next.generation), next.changes!);
    kernel.notifying[0]?.answer();
    await published;
    await waitFor('the question', () => kernel.notifying.length > 1);
    kernel.notifying[1]?.answer(kernel.notifying[1].messages.map(() => ERRNO.ENOENT));
    await waitFor('the answer', () => released.length > 0);
    assert.deepEqual(released, [{ tree: 1, nodeIds: [two.nodeId(two.find('a.py'))] }]);
  });

  test('goes on with what was left of each', async () => {
    const next = treeOf({ 'a.py': 'longer', 'd/b.py': 'of 1' }, { number: 4 }, two);
    start(
      [tree('shared', one, 100, {}), tree('team/two', next.generation, 100, { previous: two.buffer })],
      true,
    );
    await waitFor('the word', () => serving.length === 1);
    const owed = kernel.notifying[0]?.messages.length ?? 0;
    assert.equal(serving[0]?.takenOver?.owed, owed);
    assert.ok(owed > 0);
  });

  test('counts what all of them hold for statfs, and knows each root', async () => {
    start([tree('shared', one), tree('team/two', two)]);
    const statfs = kernel.ask('statfs', ROOT, Buffer.alloc(0))?.body;
    assert.equal(
      Number(statfs?.readBigUInt64LE(24)) - Number(statfs?.readBigUInt64LE(32)),
      one.entries + two.entries,
    );
    const attribute = async (nodeId: number, of: string): Promise<string> => {
      const before = kernel.answers.length;
      kernel.ask('getxattr', nodeId, Buffer.concat([words(100, 0), name(`user.dagmount.${of}`)]));
      await waitFor('the answer', () => kernel.answers.length > before);
      const answer = kernel.answers.at(-1);
      return answer?.error === 0 ? answer.body.toString() : String(answer?.error);
    };
    assert.equal(await attribute(ROOT, 'layout'), 'trees');
    assert.equal(await attribute(ROOT, 'generation'), String(-ERRNO.ENODATA));
    assert.equal(await attribute(find('team/two'), 'seq'), 'seq of 1');
    assert.equal(await attribute(find('team/two'), 'generation'), `3:${two.id}`);
    assert.equal(await attribute(find('team/two/a.py'), 'version-id'), 'version of 1');
  });
});

function namesOf(reply: ReplyMessage | undefined): string[] {
  const names: string[] = [];
  const body = reply?.body ?? Buffer.alloc(0);
  for (let offset = 0; offset < body.length; ) {
    const length = body.readUInt32LE(offset + 16);
    names.push(body.toString('utf8', offset + 24, offset + 24 + length));
    offset += (24 + length + 7) & ~7;
  }
  return names;
}
