import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { TakeoverParts } from '../src/takeover/takeover-parts.ts';
import { serveManyObjects } from '../test/support/many-objects.ts';
import { type LogLine, type Mount, startMount } from '../test/support/mount.ts';
import { monotonicNow } from '../test/support/outlive/pauses.ts';
import { cpuSecondsOf, descendants } from '../test/support/processes.ts';
import { startReader } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import { argumentsOf, serverOf } from '../test/support/supervised.ts';
import { type Cleanup, defer } from '../test/support/temporary.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * A server that is killed under readers, by parts: `node dist/bench/takeover.js [--objects 3000] [--readers 16]
 * [--kills 5]`, with a standby and without. Everything is local, and the kernel asks the server for each read. Prints,
 * in milliseconds: the parts of the log's `taken-over`, from the successor's turn on; and the longest read under way at
 * a kill, beside the longest in as long a time without one. The rest of a read, beyond `tree` and `session`, is the
 * time for the kernel to end the process, for the supervisor to notice it and order the successor, and for a processor
 * to become free.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '3000' },
    readers: { type: 'string', default: '16' },
    kills: { type: 'string', default: '5' },
  },
});

/** After a kill, readers are watched for so long. */
const WATCHED_MS = 4_000;
const COLUMNS = ['tree', 'session', 'notifications', 'longest'] as const;

interface Read {
  readonly reads: number;
  readonly slow: readonly (readonly [start: number, seconds: number])[];
}

interface Kill {
  /** Seconds of CLOCK_MONOTONIC. */
  readonly moment: number;
  readonly parts: TakeoverParts;
}

/** Waits until a standby exists and has done all it can before its turn: then it uses no processor time. */
async function standbyReady(mount: Mount): Promise<void> {
  const standby = (): number | undefined =>
    descendants(mount.pid).find((pid) => argumentsOf(pid)[0] === 'dagmount-standby');
  const pid = await waitFor('a standby', standby, 120_000);
  let [before, since] = [-1, performance.now()];
  await waitFor(
    'the standby to be ready',
    () => {
      const used = cpuSecondsOf(pid);
      if (used !== before) [before, since] = [used, performance.now()];
      return performance.now() - since > 1_500;
    },
    120_000,
  );
}

async function kill(mount: Mount): Promise<Kill> {
  const taken = (): readonly LogLine[] => mount.log().filter(({ event }) => event === 'taken-over');
  const [server, earlier] = [await waitFor('a server', () => serverOf(mount.pid)), taken().length];
  const moment = monotonicNow();
  process.kill(server, 'SIGKILL');
  const line = await waitFor('the takeover', () => taken()[earlier], 60_000);
  const { parts } = line as LogLine & { readonly parts: TakeoverParts };
  await delay(WATCHED_MS);
  return { moment, parts };
}

/** In milliseconds, of the reads that were under way within the span. */
function longestIn(from: number, until: number, readers: readonly Read[]): number {
  const within = readers
    .flatMap(({ slow }) => slow)
    .filter(([start, took]) => start + took > from && start < until);
  return 1000 * Math.max(0, ...within.map(([, took]) => took));
}

function row(name: string, cells: readonly number[]): string {
  return `${name.padEnd(10)}${cells.map((cell) => Math.round(cell).toString().padStart(15)).join('')}`;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN;
}

async function once(context: Cleanup, endpoint: string, standby: boolean): Promise<void> {
  const mount = await startMount(context, {
    source: 's3://fake/dags',
    env: { AWS_ACCESS_KEY_ID: 'reader', AWS_SECRET_ACCESS_KEY: 'not-checked' },
    args: ['--endpoint-url', endpoint, '--poll-interval', '1h'],
    standby,
  });
  const script = join(repository, 'bench/readers/upcalls.py');
  if (standby) await standbyReady(mount);
  const readers = Array.from({ length: Number(values.readers) }, (_, seed) =>
    startReader('python3', [script, mount.target, String(seed)], { stdin: 'pipe', deadlineMs: 600_000 }),
  );
  await delay(2_000);
  const calm = monotonicNow();
  await delay(WATCHED_MS);
  // No read that is under way at the first kill counts as one without a kill.
  const calmOver = monotonicNow();
  await delay(1_000);
  const kills: Kill[] = [];
  for (let time = 0; time < Number(values.kills); time += 1) {
    if (standby) await standbyReady(mount);
    kills.push(await kill(mount));
  }
  for (const reader of readers) reader.end();
  const read = await Promise.all(
    readers.map(async (reader) => {
      const { code, stdout, stderr } = await reader.done;
      if (code !== 0) throw new Error(`a reader failed: ${stderr}`);
      return JSON.parse(stdout) as Read;
    }),
  );
  await mount.stop();
  console.log(standby ? 'with a standby' : 'without a standby');
  const rows = kills.map(({ moment, parts }) => {
    const { tree, session, notifications } = parts;
    const longest = longestIn(moment, moment + WATCHED_MS / 1000, read);
    return [tree, session, notifications, longest];
  });
  for (const [at, cells] of rows.entries()) console.log(row(`  kill ${at + 1}`, cells));
  const medians = COLUMNS.map((_, column) => median(rows.map((cells) => cells[column] ?? Number.NaN)));
  console.log(row('  median', medians));
  const quiet = longestIn(calm, calmOver, read);
  const ratio = (medians.at(-1) ?? Number.NaN) / quiet;
  const count = read.reduce((sum, { reads }) => sum + reads, 0);
  console.log(
    `  longest without a kill: ${quiet.toFixed(1)} ms; ${ratio.toFixed(1)} times as long at a kill; ${count} reads`,
  );
}

async function bench(context: Cleanup): Promise<void> {
  const objects = Number(values.objects);
  const store = await serveManyObjects({ objects, prefix: 'dags/', bytes: 4096 });
  defer(context, () => store.stop());
  console.log(`${objects} objects, ${values.readers} readers, Node.js ${process.version}; ms`);
  console.log(`${''.padEnd(10)}${COLUMNS.map((name) => name.padStart(15)).join('')}`);
  await once(context, store.endpoint, true);
  await once(context, store.endpoint, false);
}

await withCleanup(bench);
