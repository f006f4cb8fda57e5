import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Status } from '../../src/control/shapes/status.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { dagmount, type Mount, mountImpossible, startMount, statusOf } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { type Reader, read, startPython } from '../support/reader.ts';
import { serverOf } from '../support/supervised.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const isRoot = process.getuid?.() === 0;
const reason =
  mountImpossible || (!isRoot && 'a page that never comes takes userfaultfd(2), which takes root');

interface World {
  readonly s3: MemoryS3;
  readonly mount: Mount;
  /** A process that holds the lock of the directory `team`. */
  readonly reader: Reader;
}

/** A mount, and a reader that holds a directory in which something changed. */
async function stuckMount(t: TestContext, args: readonly string[] = []): Promise<World> {
  const s3 = await MemoryS3.start();
  defer(t, () => s3.close());
  for (const key of ['dags/team/a.py', 'dags/other/b.py', 'dags/other/c.py']) s3.put(key, key);
  const mount = await startMount(t, {
    source: 's3://bucket/dags',
    env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    args: ['--endpoint-url', s3.endpoint, '--poll-interval', '1s', '--settle', '0', ...args],
  });
  const world = { s3, mount, reader: await holdTeam(t, mount) };
  s3.put('dags/team/a.py', 'another');
  return world;
}

async function holdTeam(t: TestContext, mount: Mount): Promise<Reader> {
  const reader = startPython('stuck.py', [join(mount.target, 'team')], { stdin: 'pipe' });
  // The reader must end before the mount, which could not end otherwise.
  defer(t, async () => {
    reader.kill();
    await reader.done;
  });
  await waitFor('the reader to hold the directory', () => {
    assert.equal(reader.stderr(), '');
    return reader.stdout() === 'stuck\n';
  });
  return reader;
}

/** Waits until status names the processes that hold the publication up. */
function stuck(mount: Mount): Promise<NonNullable<Status['stuck']>> {
  return waitFor('status to say who holds the publication up', async () => {
    const status = await statusOf(mount).catch(() => undefined);
    if (status?.stuck == null || status.stuck.holders.length === 0) return undefined;
    assert.deepEqual(status.degraded, ['publication-stuck']);
    return status.stuck;
  });
}

describe('a publication that a reader keeps from the kernel', { skip: reason, concurrency: 4 }, () => {
  test('is told with the process that holds it, others go on, and it ends with that process', async (t) => {
    const { s3, mount, reader } = await stuckMount(t);
    const { directory, holders } = await stuck(mount);
    const named = { pid: reader.pid, tid: reader.pid, uid: 0, command: 'python3' };
    assert.deepEqual({ directory, holders }, { directory: 'team', holders: [named] });
    assert.equal(await read('cat', [join(mount.target, 'other/b.py')]), 'dags/other/b.py');
    const shown = await dagmount(['status', '--socket', mount.socket()]);
    assert.match(
      shown.stdout,
      new RegExp(`^stuck .*team is held by pid ${reader.pid} \\(python3, uid 0\\)`, 'm'),
    );
    const metrics = await dagmount(['metrics', '--socket', mount.socket()]);
    assert.match(metrics.stdout, /^dagmount_publication_stuck 1$/m);
    const told = mount.log().filter(({ event }) => event === 'publication-stuck');
    // The daemon logs the event once more if its first look at the processes found no holder.
    assert.deepEqual([told.at(-1)?.directory, told.at(-1)?.holders], ['team', [named]]);
    reader.kill();
    await waitFor('publications to go on', async () => (await statusOf(mount)).generation?.number === 2);
    assert.equal((await statusOf(mount)).stuck, null);
    assert.equal(await read('cat', [join(mount.target, 'team/a.py')]), 'another');
    assert.equal(mount.log().filter(({ event }) => event === 'publication-freed').length, 1);
    // No other publication is stuck: the daemon shows another change as usual.
    s3.put('dags/team/new.py', 'new');
    await waitFor('the next change', async () => (await statusOf(mount)).generation?.number === 3);
  });

  for (const tookOver of [false, true]) {
    test(`does not hold up the end of the mount${tookOver ? ', by a server that took over' : ''}`, async (t) => {
      const { mount, reader } = await stuckMount(t);
      await stuck(mount);
      const server = await mount.serverPid();
      if (tookOver) process.kill(server, 'SIGKILL');
      await waitFor('who is to end it', async () => {
        const told = await stuck(mount);
        return tookOver ? serverOf(mount.pid) !== server && told : told;
      });
      process.kill(mount.pid, 'SIGTERM');
      // Do not wait for the end of its output: a thread of it hangs in the kernel, and keeps the output open.
      await waitFor('the process to end', () => !isAlive(mount.pid), 60_000);
      assert.deepEqual(mountsAt(mount.target), []);
      assert.equal(reader.stdout(), 'stuck\n');
      reader.kill();
      const { code } = await mount.exit;
      assert.equal(code, 0);
      assert.equal(mount.log().filter(({ event }) => event === 'unmounted').length, 1);
    });
  }

  test('is told by the server that takes over too, which is left alone past the deadline', async (t) => {
    const { mount, reader } = await stuckMount(t, ['--takeover-deadline', '5s']);
    await stuck(mount);
    const server = await mount.serverPid();
    const killedAt = Date.now();
    process.kill(server, 'SIGKILL');
    const { holders } = await waitFor('the successor to say so', async () => {
      const told = await stuck(mount);
      return serverOf(mount.pid) !== server && told;
    });
    assert.deepEqual(
      holders.map(({ pid }) => pid),
      [reader.pid],
    );
    const successor = await mount.serverPid();
    assert.equal(await read('cat', [join(mount.target, 'other/c.py')]), 'dags/other/c.py');
    await waitFor('the deadline to pass', () => Date.now() > killedAt + 6_000);
    reader.kill();
    await waitFor('the tree to be told', async () => (await statusOf(mount)).stuck === null);
    assert.equal(await read('cat', [join(mount.target, 'team/a.py')]), 'another');
    assert.equal(await mount.serverPid(), successor);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
