import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRunning } from '../../src/host/process.ts';
import { manyFiles, mountStore, openStore } from '../e2e/fixture.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { type Mount, mountImpossible, startMount } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { ChangingTree } from '../support/outlive/changing-tree.ts';
import { distribution, monotonicNow, type Outlived } from '../support/outlive/pauses.ts';
import { shell, startPython } from '../support/reader.ts';
import {
  argumentsOf,
  processesNamed,
  serverOf,
  supervisor,
  supervisorMissing,
} from '../support/supervised.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 20);

interface Status {
  readonly pid: number;
  readonly mount: { readonly supervised: boolean; readonly restarts: number };
}

async function statusOf(mount: Mount): Promise<Status> {
  const ask = `curl -s --max-time 30 --unix-socket ${mount.socket()} http://d/v1/status`;
  return JSON.parse(await shell('/', ask)) as Status;
}

/** The supervisor that a server has started for itself. */
function adopterOf(server: number): number | undefined {
  return processesNamed('dagmount-superv').find((pid) => argumentsOf(pid).includes(String(server)));
}

test(`a supervisor that is killed ${KILLS} times under readers is replaced each time, and nobody notices`, {
  skip: mountImpossible || supervisorMissing,
}, async (t) => {
  const store = await MemoryS3.start();
  defer(t, () => store.close());
  const tree = new ChangingTree(store, 500, 10);
  const mount = await startMount(t, {
    source: 's3://memory/dags',
    wrapper: [supervisor],
    env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    args: ['--endpoint-url', store.endpoint, '--poll-interval', '1s', '--settle', '0', '--prefetch', '64KiB'],
  });
  const before = await statusOf(mount);
  const readers = Array.from({ length: 8 }, (_, index) =>
    startPython('endure.py', [mount.target, String(index)], { stdin: 'pipe', deadlineMs: 600_000 }),
  );
  const over = new AbortController();
  const changing = tree.change(over.signal);
  const pauses: number[] = [];
  let current = mount.pid;
  for (let kill = 0; kill < KILLS; kill++) {
    const start = monotonicNow();
    process.kill(current, 'SIGKILL');
    const gone = current;
    current = await waitFor('another supervisor', () => {
      const found = adopterOf(before.pid);
      return found === gone ? undefined : found;
    });
    await waitFor('it to be counted on', async () => (await statusOf(mount)).mount.supervised);
    pauses.push(Math.round(1000 * (monotonicNow() - start)));
  }
  over.abort();
  await changing;
  const after = await statusOf(mount);
  for (const reader of readers) reader.end();
  for (const reader of readers) {
    const { code, stdout, stderr } = await reader.done;
    assert.equal(code, 0, stderr);
    assert.deepEqual((JSON.parse(stdout) as Outlived).problems, []);
  }
  t.diagnostic(`until it is supervised again, ms: ${distribution(pauses)}`);
  assert.deepEqual([after.pid, after.mount.restarts], [before.pid, 0]);
  process.kill(current, 'SIGTERM');
  await waitFor('the end', () => mountsAt(mount.target).length === 0 && adopterOf(before.pid) === undefined);
});

test('a supervisor that stands still is gone before another one takes its place, and comes back to nothing', {
  skip: mountImpossible || supervisorMissing,
}, async (t) => {
  const store = await openStore(t, manyFiles(50, 100));
  const mount = await mountStore(t, store, { wrapper: [supervisor] });
  const before = await statusOf(mount);
  process.kill(mount.pid, 'SIGSTOP');
  // The server takes the supervisor for a slow one until the socket between them is full, which takes a minute.
  const current = await waitFor('another supervisor', () => adopterOf(before.pid), 180_000);
  assert.ok(!isRunning({ pid: mount.pid }), 'the first one is gone');
  await waitFor('it to be counted on', async () => (await statusOf(mount)).mount.supervised);
  const after = await statusOf(mount);
  assert.deepEqual([after.pid, after.mount.restarts], [before.pid, 0]);
  assert.equal((await shell(mount.target, 'find . -type f | wc -l')).trim(), '50');
  process.kill(current, 'SIGTERM');
  await waitFor('the end', () => mountsAt(mount.target).length === 0 && adopterOf(before.pid) === undefined);
});

test('a server and a supervisor that are killed at once give an error and no hang; the next start never shows the bare directory', {
  skip: mountImpossible || supervisorMissing,
}, async (t) => {
  const store = await openStore(t, manyFiles(50, 100));
  const mount = await mountStore(t, store, { wrapper: [supervisor] });
  const server = serverOf(mount.pid) ?? -1;
  const watcher = startPython('never-bare.py', [mount.target], { stdin: 'pipe', deadlineMs: 120_000 });
  const asked = startPython('first-line.py', [`${mount.target}/team_0000/dag_000001.py`]);
  await asked.done;
  process.kill(mount.pid, 'SIGSTOP');
  process.kill(server, 'SIGKILL');
  // This read waits for an answer when no process is left that could give one.
  const waits = startPython('first-line.py', [`${mount.target}/team_0000/nobody-asked-for-this.py`]);
  process.kill(mount.pid, 'SIGKILL');
  assert.match(
    (await waits.done).stderr,
    /Transport endpoint is not connected|ConnectionAbortedError|Errno 103/,
  );
  assert.equal(await shell('/', `stat ${mount.target}/other 2>&1 | grep -c 'not connected'`), '1\n');
  const { target, cacheDirectory } = mount;
  const next = await mountStore(t, store, { target, cacheDirectory, wrapper: [supervisor] });
  assert.equal((await shell(target, 'find . -type f | wc -l')).trim(), '50');
  watcher.end();
  const seen = JSON.parse((await watcher.done).stdout);
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.names > 0);
  assert.equal(seen.bare, undefined);
  assert.equal((await next.stop()).code, 0);
  assert.deepEqual(mountsAt(target), []);
});
