import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import type { Refreshed, Status } from '../../src/control/shapes/status.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { type Mount, mountImpossible, startMount } from '../support/mount.ts';
import { residentBytes } from '../support/processes.ts';
import { startPython } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const PUBLICATIONS = Number(process.env.DAGMOUNT_TEST_PUBLICATIONS ?? 5_000);
const SAMPLES = 10;
/** Publications are a second apart; at this rate a second takes milliseconds. */
const CLOCK_RATE = 300;
const FILES = 300;
/** Ten times the walks of Airflow's processor in a day, at its default of one every 5 minutes. */
const WALKS = 2_880;

interface Sample {
  readonly publications: number;
  /** Bytes. */
  readonly resident: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly blobs: number;
  readonly pinned: number;
}

function pathOf(index: number): string {
  return `dags/team_${index % 15}/dag_${index}.py`;
}

/** Changes, adds or removes one file, in the directories that the readers walk all the time. */
function changeOne(store: MemoryS3, time: number): void {
  const path = pathOf(time % FILES);
  if (time % 3 === 0) store.put(path, `print(${time})\n`.repeat(100 + (time % 400)));
  else if (time % 3 === 1) store.put(`dags/team_${time % 15}/new_${time % 50}.py`, `print(${time})\n`);
  else store.delete(`dags/team_${(time - 1) % 15}/new_${(time - 1) % 50}.py`);
}

async function sample(mount: Mount, client: ControlClient, publications: number): Promise<Sample> {
  const pid = await mount.serverPid();
  const { cache } = await client.ask<Status>('/v1/status');
  return {
    publications,
    resident: residentBytes(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    blobs: cache.entries,
    pinned: cache.pinned,
  };
}

function row({ publications, resident, descriptors, threads, blobs, pinned }: Sample): string {
  const mebibytes = (resident / 2 ** 20).toFixed(1);
  return `after ${publications}: resident ${mebibytes} MiB, ${descriptors} descriptors, ${threads} threads, ${blobs} blobs, ${pinned} pinned`;
}

test(`${PUBLICATIONS} publications under readers that walk the tree all the time leave memory, descriptors, threads, pins and node ids at their level`, {
  skip: mountImpossible,
}, async (t) => {
  const store = await MemoryS3.start();
  defer(t, () => store.close());
  for (let index = 0; index < FILES; index++) store.put(pathOf(index), 'print(0)\n');
  const mount = await startMount(t, {
    source: 's3://memory/dags',
    cli: join(repository, 'dist/test/support/fast-clock-daemon.js'),
    env: {
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      TEST_CLOCK_RATE: String(CLOCK_RATE),
    },
    args: [
      '--endpoint-url',
      store.endpoint,
      '--poll-interval',
      '24h',
      '--cache-size',
      '4MiB',
      '--settle',
      '0',
      '--max-delete',
      '100%',
    ],
  });
  const client = new ControlClient(mount.socket());
  const readers = Array.from({ length: 3 }, () =>
    startPython('rescan.py', [mount.target], { stdin: 'pipe', deadlineMs: 1_500_000 }),
  );
  const samples: Sample[] = [];
  const began = Date.now();
  for (let time = 1; time <= PUBLICATIONS; time++) {
    changeOne(store, time);
    // Asks for a look instead of waiting for a poll: hours of polls take minutes.
    const { outcome } = await client.ask<Refreshed>('/v1/refresh', {
      method: 'POST',
      body: { wait: true, timeoutSeconds: 60 },
      deadlineMs: 75_000,
    });
    assert.equal(outcome, 'published', `publication ${time}`);
    if (time % (PUBLICATIONS / SAMPLES) === 0) samples.push(await sample(mount, client, time));
  }
  const hours = ((Date.now() - began) * CLOCK_RATE) / 3_600_000;
  for (const reader of readers) reader.end();
  let walks = 0;
  for (const reader of readers) {
    const { code, stdout, stderr } = await reader.done;
    assert.equal(code, 0, stderr);
    const seen = JSON.parse(stdout) as { readonly walks: number; readonly problems: readonly string[] };
    assert.deepEqual(seen.problems, []);
    walks += seen.walks;
  }
  // The kernel forgets its nodes of old trees when it needs the memory.
  if (process.getuid?.() === 0) writeFileSync('/proc/sys/vm/drop_caches', '2');
  await waitFor(
    'no replaced content to be kept for a reader',
    async () => (await client.ask<Status>('/v1/status')).cache.pinned === 0,
    150_000,
  );
  const last = await sample(mount, client, PUBLICATIONS);
  t.diagnostic(`${hours.toFixed(1)} hours of the server's clock, ${walks} walks of ${FILES} files and more`);
  for (const each of [...samples, last]) t.diagnostic(row(each));
  const [first] = samples as [Sample];
  assert.ok(walks >= WALKS || PUBLICATIONS < 5_000, `${walks} walks`);
  assert.ok(last.resident <= first.resident * 1.25 + 16 * 2 ** 20, 'memory is at its level');
  assert.ok(last.descriptors <= first.descriptors, 'descriptors are at their level');
  assert.ok(last.threads <= first.threads, 'threads are at their level');
  assert.equal((await mount.stop()).code, 0);
  const upcalls = mount.log().find(({ event }) => event === 'upcalls');
  if (process.getuid?.() === 0) assert.equal(upcalls?.replacedInodes, 0, 'no node id of an old tree is kept');
});
