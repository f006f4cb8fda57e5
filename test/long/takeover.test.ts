import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { manyFiles, mountStore, openStore, padded, type Store } from '../e2e/fixture.ts';
import { type LogLine, type Mount, mountImpossible } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { read, shell, startPython, startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { serverOf, supervisor, supervisorMissing } from '../support/supervised.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 20);
const READERS = Number(process.env.DAGMOUNT_TEST_READERS ?? 8);
const daemon = join(repository, 'dist/test/support/stop-point-daemon.js');

interface Outlived {
  readonly passes: number;
  readonly problems: readonly string[];
  readonly longest: number;
}

const paths = Array.from(
  { length: 200 },
  (_, index) => `team_${padded(index % 10, 2)}/dag_${padded(index, 4)}${'x'.repeat(index % 3)}.py`,
);

function body(path: string, version: number, many: boolean): string {
  const count = (many ? 3_000 : 40) + ((version * 37) % 50);
  const numbers = Array.from({ length: count }, (_, index) => padded(index, 6));
  return numbers
    .map((index) => `# ${path} version ${padded(version, 8)} line ${index} of ${padded(count, 6)}\n`)
    .join('');
}

/** Puts new versions until told to end; returns the last. */
async function change(store: Store, until: AbortSignal): Promise<number> {
  let version = 0;
  while (!until.aborted) {
    version += 1;
    const index = (version * 7) % paths.length;
    const path = paths[index] as string;
    await store.put(`dags/${path}`, body(path, version, index % 20 === 0));
    await delay(45);
  }
  return version;
}

function takeovers(mount: Mount): readonly LogLine[] {
  return mount.log().filter((line) => line.event === 'taken-over');
}

for (const takeover of ['resend', 'journal'] as const) {
  test(`by ${takeover}: a server that is killed ${KILLS} times under ${READERS} readers gives no error, hangs nobody, and shows nothing of an old tree`, {
    skip: mountImpossible || supervisorMissing,
  }, async (t) => {
    const objects = new Map(paths.map((path, index) => [path, body(path, 0, index % 20 === 0)]));
    const store = await openStore(t, objects);
    const mount = await mountStore(t, store, {
      wrapper: [supervisor],
      env: { ...store.env, ...(takeover === 'journal' && { TEST_WITHOUT_RESEND: '1' }) },
    });
    const readers = Array.from({ length: READERS }, () =>
      startPython('outlive.py', [mount.target], { stdin: 'pipe', deadlineMs: 600_000 }),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    const pids = new Set<number>();
    const pauses: number[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      // At any moment of a poll, which is a second.
      await delay(300 + Math.random() * 1200);
      const pid = await waitFor('a server', () => serverOf(mount.pid));
      pids.add(pid);
      const killed = performance.now();
      process.kill(pid, 'SIGKILL');
      await waitFor(`takeover ${kills + 1}`, () => takeovers(mount).length > kills, 60_000).catch(
        (error: unknown) => {
          throw new Error(mount.stderr().slice(-3_000), { cause: error });
        },
      );
      pauses.push(Math.round(performance.now() - killed));
    }
    over.abort();
    const last = await changing;
    const path = paths[(last * 7) % paths.length] as string;
    await waitFor(
      'the last version',
      async () => {
        const reader = startPython('first-line.py', [`${mount.target}/${path}`]);
        return (await reader.done).stdout.includes(`version ${padded(last, 8)} `);
      },
      60_000,
    );
    for (const reader of readers) reader.end();
    const results = await Promise.all(
      readers.map(async (reader) => {
        const reading = await reader.done;
        assert.equal(reading.code, 0, reading.stderr);
        return JSON.parse(reading.stdout) as Outlived;
      }),
    );
    t.diagnostic(
      `longest call ${Math.max(...results.map((result) => result.longest)).toFixed(3)} s, passes ${results.map((result) => result.passes)}`,
    );
    t.diagnostic(`from kill to takeover, ms: ${pauses.join(' ')}`);
    for (const field of ['ms', 'unanswered', 'owed']) {
      t.diagnostic(
        `${field}: ${takeovers(mount)
          .map((line) => line[field])
          .join(' ')}`,
      );
    }
    assert.ok(takeovers(mount).every(({ resends }) => resends === (takeover === 'resend')));
    assert.deepEqual(
      results.flatMap((result) => result.problems),
      [],
    );
    assert.ok(results.every((result) => result.passes > 0));
    assert.equal(pids.size, KILLS);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
}

for (const takeover of ['resend', 'journal'] as const) {
  test(`by ${takeover}: a read that waits for the store when the server is killed gets its bytes`, {
    skip: mountImpossible || supervisorMissing,
  }, async (t) => {
    const store = await openStore(t, manyFiles(5, 70_000));
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const mount = await mountStore(
      t,
      { ...store, endpoint: proxy.endpoint },
      {
        wrapper: [supervisor],
        env: { ...store.env, ...(takeover === 'journal' && { TEST_WITHOUT_RESEND: '1' }) },
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
    await waitFor('the takeover', () => takeovers(mount).length > 0);
    proxy.fault = undefined;
    for (const { reader, content } of readers) {
      const { code, stdout, stderr } = await reader.done;
      assert.equal(code, 0, stderr);
      assert.ok(stdout === content, 'the bytes that are stored');
    }
    const [line] = takeovers(mount);
    assert.equal(line?.resends, takeover === 'resend');
    assert.ok(Number(line?.unanswered) >= 5, `${line?.unanswered} were unanswered`);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
}

/** Names, attributes and bytes, as this process's caches and the kernel's have them. */
async function survey(target: string): Promise<string> {
  const script =
    'cd "$0" && find . -printf "%p %y %s %T@ %n\\n" | sort && find . -type f -exec sha256sum {} + | sort -k 2';
  return await read('sh', ['-c', script, target]);
}

describe('a server killed at a crash point', { skip: mountImpossible || supervisorMissing }, () => {
  for (const point of ['prefetched', 'persisted', 'committed', 'notified', 'published']) {
    test(`${point}: leaves no name, attribute or byte of the wrong tree in the kernel`, async (t) => {
      const store = await openStore(t, manyFiles(150, 200));
      const mount = await mountStore(t, store, {
        wrapper: [supervisor],
        cli: daemon,
        env: { ...store.env, TEST_STOP_AT: point },
      });
      await survey(mount.target);
      await shell(mount.target, 'for i in 1 2 3; do stat team_0000/absent_$i.py; done 2>/dev/null; true');
      // Of a directory from which nothing goes: else a name may go between its listing and its stat.
      const reader = startPython('scan.py', [`${mount.target}/team_0001`, '50'], {
        stdin: 'pipe',
        deadlineMs: 120_000,
      });
      await store.putAll(
        new Map([
          ['team_0000/dag_000001.py', 'changed'],
          ['team_0000/absent_1.py', 'new'],
          ['team_0001/more/new.py', 'new'],
        ]),
      );
      for (const gone of ['dag_000002.py', 'dag_000003.py']) await store.delete(`dags/team_0000/${gone}`);
      await waitFor('the takeover', () => takeovers(mount).length > 0, 60_000).catch((error: unknown) => {
        throw new Error(mount.stderr().slice(-3_000), { cause: error });
      });
      await waitFor('the new tree', async () => (await survey(mount.target)).includes('more/new.py'), 60_000);
      const warm = await survey(mount.target);
      reader.end();
      assert.equal((await reader.done).code, 0, (await reader.done).stderr);
      for (const line of ['dag_000001.py f 7 ', 'absent_1.py f 3 ']) assert.ok(warm.includes(line), line);
      assert.ok(!warm.includes('dag_000002.py'));
      t.diagnostic(`owed: ${takeovers(mount).map(({ owed }) => owed)}`);
      assert.deepEqual(await mount.stop(), { code: 0, signal: null });
      const { target, cacheDirectory } = mount;
      const again = await mountStore(t, store, { target, cacheDirectory });
      assert.equal(
        warm,
        await survey(target),
        'what the kernel had is what a kernel that has nothing is told',
      );
      await again.stop();
    });
  }
});
