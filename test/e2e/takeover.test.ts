import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fuseNativeImpossible } from '../support/driver.ts';
import { mountImpossible } from '../support/mount.ts';
import { outlive } from '../support/outlive/outlive.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell, startReader } from '../support/reader.ts';
import { serverOf, supervisor, supervisorMissing } from '../support/supervised.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

const KILLS = 3;

// test/long runs the same for longer, and tries every other end of a server.
for (const takeover of ['resend', 'journal'] as const) {
  describe(`by ${takeover}`, { skip: mountImpossible || supervisorMissing, concurrency: 2 }, () => {
    test(`a server that is killed ${KILLS} times under readers gives no error, hangs nobody, and shows nothing of an old tree`, async (t) => {
      const { mount, takeovers } = await outlive(t, {
        takeover,
        files: 200,
        large: 20,
        readers: 4,
        times: KILLS,
        apart: 400,
        isBesideOthers: true,
        whilePublishing: (time) => time % 2 === 1,
      });
      assert.equal(takeovers.length, KILLS);
      assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    });

    test('a read that waits for the store when the server is killed gets its bytes', async (t) => {
      const store = await openStore(t, manyFiles(5, 70_000));
      const proxy = await StoreProxy.start({ upstream: store.endpoint });
      defer(t, () => proxy.close());
      const mount = await mountStore(
        t,
        { ...store, endpoint: proxy.endpoint },
        {
          wrapper: [supervisor],
          session: { resend: takeover === 'resend' },
          args: ['--prefetch', '0', '--read-deadline', '60s', '--poll-interval', '1h'],
        },
      );
      proxy.fault = ({ kind }) => (kind === 'GET' ? { hang: true } : undefined);
      const before = proxy.count('GET');
      const readers = [...manyFiles(5, 70_000)].map(([path, content]) => ({
        content,
        reader: startReader('cat', [join(mount.target, path)]),
      }));
      await waitFor('every reader to wait for the store', () => proxy.count('GET') >= before + 5);
      process.kill(serverOf(mount.pid) ?? -1, 'SIGKILL');
      await waitFor(
        'the takeover',
        () => mount.log().filter(({ event }) => event === 'taken-over').length > 0,
      );
      proxy.fault = undefined;
      for (const { reader, content } of readers) {
        const { code, stdout, stderr } = await reader.done;
        assert.equal(code, 0, stderr);
        assert.ok(stdout === content, 'the bytes that are stored');
      }
      const [line] = mount.log().filter(({ event }) => event === 'taken-over');
      assert.equal(line?.resends, takeover === 'resend');
      assert.ok(Number(line?.unanswered) >= 5, `${line?.unanswered} were unanswered`);
      assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    });
  });
}

// test/host/process-priority.test.ts: a process which the server has started goes before others, too.
const drivers = ['kernel', ...(process.env.DAGMOUNT_TEST_LONG === undefined ? [] : ['fuse-native'])] as const;

for (const driver of drivers) {
  test(`with ${driver}, a server that readers wait for goes before others from its start, and goes back when they do not`, {
    skip:
      mountImpossible ||
      supervisorMissing ||
      (driver === 'fuse-native' && fuseNativeImpossible) ||
      (process.getuid?.() === 0 ? false : 'it takes root to go before others'),
  }, async (t) => {
    const usual = getPriority();
    const mount = await mountStore(t, await openStore(t, manyFiles(5, 100)), {
      wrapper: [supervisor],
      args: ['--driver', driver],
    });
    const first = serverOf(mount.pid) ?? -1;
    assert.equal(getPriority(first), usual);
    process.kill(first, 'SIGKILL');
    const successor = await waitFor('a successor, ahead of others', () => {
      const pid = serverOf(mount.pid);
      const isAhead =
        pid !== first && pid !== undefined && prioritiesIn(pid).includes(Math.max(-20, usual - 15));
      return isAhead ? pid : undefined;
    });
    await waitFor('it to go back, with what it has started', () =>
      [successor, ...childrenOf(successor)].flatMap(prioritiesIn).every((priority) => priority === usual),
    );
    assert.equal(await shell(mount.target, 'find . -type f | wc -l'), '5\n');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
}

/** The priority of each thread; a thread that has just ended has none. */
function prioritiesIn(pid: number): readonly number[] {
  return ifThere(() => readdirSync(`/proc/${pid}/task`)).flatMap((thread) =>
    ifThere(() => [getPriority(Number(thread))]),
  );
}

function childrenOf(pid: number): readonly number[] {
  const list = ifThere(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' '));
  return list.filter((each) => each !== '').map(Number);
}

function ifThere<T>(look: () => readonly T[]): readonly T[] {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}
