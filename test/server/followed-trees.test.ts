import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred } from '../../src/base/waiting.ts';
import { type FollowedTree, FollowedTrees, servedTrees } from '../../src/server/followed-trees.ts';
import { MountError } from '../../src/session/mount-error.ts';
import { SyncError } from '../../src/sync/failure.ts';
import type { SyncView } from '../../src/sync/sync-view.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

const empty = (): Error => new SyncError('empty-source', 'There is nothing.', 'Upload something.');

function follow(paths: readonly string[], isFirst = true) {
  const clock = new FakeClock();
  const failed = new AbortController();
  const stop = new AbortController();
  const over = AbortSignal.any([failed.signal, stop.signal]);
  const log = new RecordingLog();
  const shown: string[] = [];
  const trees = paths.map((path) => {
    const ready = deferred<void>();
    ready.promise.catch(() => undefined);
    const readyAtLast = deferred<void>();
    const tree = {
      tree: { path, config: { waitForStoreMs: 0, pollIntervalMs: 1_000 } },
      log,
      queue: undefined as FollowedTree['queue'],
      ready,
      readyAtLast,
      starts: 0,
      start: async (): Promise<never> => ({}) as never,
      sync: {
        start: () => {
          tree.starts += 1;
          return tree.start();
        },
        run: async (signal: AbortSignal) => {
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        ready: ready.promise,
        readyAtLast: readyAtLast.promise,
        isRestored: false,
        view: { generation: undefined } as unknown as SyncView,
      },
    };
    return tree;
  });
  const followed = new FollowedTrees({
    trees,
    onShown: async ({ tree }) => {
      shown.push(tree.path);
    },
    clock,
    log,
    over,
    failed,
    isFirst,
  });
  return { trees, followed, clock, failed, stop, log, shown };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('several trees that are followed', () => {
  test('do not wait for one that cannot be shown, which is tried again', async () => {
    const { trees, followed, clock, failed, stop, log, shown } = follow(['a', 'b']);
    trees[1]!.start = async () => {
      throw empty();
    };
    const run = followed.run();
    await turn();
    assert.deepEqual(shown, ['a']);
    assert.deepEqual(
      log.told('tree-not-shown').map(({ code }) => code),
      ['empty-source'],
    );
    await clock.advance(1_000);
    await turn();
    assert.equal(trees[1]!.starts, 2);
    assert.equal(log.told('tree-not-shown').length, 1, 'the same again is told quietly');
    trees[1]!.start = async () => ({}) as never;
    await clock.advance(1_000);
    await turn();
    assert.deepEqual(shown, ['a', 'b']);
    assert.equal(failed.signal.aborted, false);
    stop.abort();
    await run;
  });

  test('do not wait for one whose store hangs', async () => {
    const { trees, followed, stop, shown } = follow(['a', 'b', 'c']);
    trees[1]!.start = () => new Promise(() => undefined);
    const run = followed.run();
    await turn();
    assert.deepEqual(shown, ['a', 'c']);
    stop.abort();
    assert.equal(await Promise.race([run.then(() => 'ended'), turn().then(() => 'waits')]), 'waits');
  });

  test('have their queues of events read from the moment on in which they are shown', async () => {
    const { trees, followed, stop } = follow(['a', 'b']);
    const read: string[] = [];
    const ended: string[] = [];
    for (const tree of trees) {
      tree.queue = {
        run: async (signal) => {
          read.push(tree.tree.path);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          ended.push(tree.tree.path);
        },
      };
    }
    trees[1]!.start = () => new Promise(() => undefined);
    void followed.run();
    await turn();
    assert.deepEqual([read, ended], [['a'], []]);
    stop.abort();
    await turn();
    assert.deepEqual(ended, ['a']);
  });

  test('are the end of the mount only if none can be shown', async () => {
    const { trees, followed, failed } = follow(['a', 'b']);
    for (const tree of trees) {
      tree.start = async () => {
        throw empty();
      };
    }
    await followed.run();
    assert.equal((failed.signal.reason as SyncError).code, 'empty-source');
  });

  test('end all together where the kernel takes none any more', async () => {
    const { trees, followed, failed } = follow(['a', 'b']);
    trees[0]!.start = async () => {
      throw new MountError('session-failed', 'It is gone.', 'Mount again.');
    };
    await followed.run();
    assert.equal((failed.signal.reason as MountError).code, 'session-failed');
  });

  test('are ready when all of them are', async () => {
    const { trees, followed, log } = follow(['a', 'b']);
    let isReady = false;
    void followed.ready.then(() => {
      isReady = true;
    });
    trees[0]!.ready.resolve();
    await turn();
    assert.equal(isReady, false);
    assert.deepEqual([log.count('info', 'tree-ready'), log.count('info', 'ready')], [1, 0]);
    trees[1]!.ready.resolve();
    await turn();
    assert.equal(isReady, true);
    assert.deepEqual([log.count('info', 'tree-ready'), log.count('info', 'ready')], [2, 1]);
  });

  test('are ready at last where nothing of one could be read at first', async () => {
    const { trees, followed, log } = follow(['a', 'b']);
    const told: string[] = [];
    void followed.ready.then(() => told.push('ready'));
    void servedTrees(trees).ready.then(() => told.push('to the supervisor'));
    trees[0]!.ready.resolve();
    trees[1]!.ready.reject(empty());
    await turn();
    assert.deepEqual([told, log.count('warn', 'tree-not-ready')], [[], 1]);
    trees[1]!.readyAtLast.resolve();
    await turn();
    assert.deepEqual(told.toSorted(), ['ready', 'to the supervisor']);
    assert.deepEqual([log.count('info', 'tree-ready'), log.count('info', 'ready')], [2, 1]);
  });

  test('tell the supervisor of each', () => {
    const { trees } = follow(['a', 'b']);
    assert.match(servedTrees(trees).status(), /^a: .* \| b: /);
    assert.doesNotMatch(servedTrees(follow(['']).trees).status(), /:/);
  });
});

describe('a tree that is the whole mount', () => {
  test('ends it with what it cannot be shown for', async () => {
    const { trees, followed } = follow(['']);
    trees[0]!.start = async () => {
      throw empty();
    };
    await assert.rejects(followed.run(), { code: 'empty-source' });
    assert.equal(trees[0]!.starts, 1);
  });

  test('is the end of the mount if nothing of it can be read', async () => {
    const { trees, followed } = follow(['']);
    trees[0]!.ready.reject(empty());
    await assert.rejects(followed.ready, { code: 'empty-source' });
  });

  for (const [before, isRestored, isFirst] of [
    ['it was kept', true, true],
    ['an earlier server has shown it, although nothing was kept', false, false],
  ] as const) {
    test(`is ready at last if ${before}`, async () => {
      const { trees, followed, log } = follow([''], isFirst);
      Object.assign(trees[0]!.sync, { isRestored });
      trees[0]!.ready.reject(empty());
      const { ready } = followed;
      await turn();
      assert.equal(log.count('info', 'ready'), 0);
      trees[0]!.readyAtLast.resolve();
      await ready;
      assert.equal(log.count('info', 'ready'), 1);
    });
  }
});
