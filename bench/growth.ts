import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ControlClient } from '../src/control/client.ts';
import { serveManyObjects } from '../test/support/many-objects.ts';
import { launchMount } from '../test/support/mount.ts';
import { cpuSeconds, proportionalSetSize, watchProportionalSetSize } from '../test/support/processes.ts';
import { startReader } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import { type Cleanup, defer } from '../test/support/temporary.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * What grows with the number of keys: `node dist/bench/growth.js [--keys 100000,1000000] [--polls 3]
 * [--changes 10000]`. A computed bucket in another process, content not prefetched, no standby. Prints for each number
 * of keys: seconds to the mount; CPU of a poll that finds nothing new; seconds from a request to look until one
 * changed object is shown, and until --changes of them are; the longest call of a reader during the latter, and in as
 * long a time without; memory (PSS) at rest and at its highest. The last line says by which factor each grew, for the
 * factor of the keys.
 */
const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000,1000000' },
    polls: { type: 'string', default: '3' },
    changes: { type: 'string', default: '10000' },
  },
});

const COLUMNS = [
  'mount',
  'poll CPU',
  'one seen',
  'many seen',
  'longest',
  'quiet',
  'MiB',
  'most MiB',
] as const;
const REFRESH_MS = 600_000;
/** Time for a publication's memory to be collected, and given back to the kernel. */
const REST_MS = 10_000;

interface Pause {
  readonly longest: number;
  readonly calls: number;
}

/** The longest call of a reader, in milliseconds, while `work` runs. */
async function longestDuring(target: string, work: () => Promise<unknown>): Promise<number> {
  const script = join(repository, 'bench/readers/pause.py');
  const reader = startReader('python3', [script, target, '100'], { stdin: 'pipe', deadlineMs: REFRESH_MS });
  await work();
  reader.end();
  const { code, stdout, stderr } = await reader.done;
  if (code !== 0) throw new Error(`the reader failed: ${stderr}`);
  return (JSON.parse(stdout) as Pause).longest;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function once(context: Cleanup, keys: number): Promise<readonly number[]> {
  const store = await serveManyObjects({ objects: keys, prefix: 'dags/' });
  defer(context, () => store.stop());
  const start = performance.now();
  const mount = await launchMount(context, {
    source: 's3://fake/dags',
    env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    args: ['--endpoint-url', store.endpoint, '--poll-interval', '1h', '--settle', '0', '--prefetch', '0'],
  });
  const memory = watchProportionalSetSize(mount.pid);
  defer(context, () => void memory.stop());
  await mount.logged('mounted', REFRESH_MS);
  const mounted = (performance.now() - start) / 1000;
  await mount.logged('ready', REFRESH_MS);
  const client = new ControlClient(mount.socket());
  const refresh = (): Promise<unknown> =>
    client.ask('/v1/refresh', {
      method: 'POST',
      body: { wait: true, timeoutSeconds: REFRESH_MS / 1000 },
      deadlineMs: REFRESH_MS,
    });
  await refresh();
  const polls = Number(values.polls);
  const before = cpuSeconds(mount.pid);
  for (let poll = 0; poll < polls; poll += 1) await refresh();
  const pollCpu = (cpuSeconds(mount.pid) - before) / polls;
  await store.revise(keys - 1, keys);
  const oneSeen = await seconds(refresh);
  await store.revise(0, Number(values.changes));
  let manySeen = 0;
  const longest = await longestDuring(mount.target, async () => {
    manySeen = await seconds(refresh);
  });
  const quiet = await longestDuring(mount.target, () => delay(1000 * manySeen));
  await delay(REST_MS);
  const rest = proportionalSetSize(mount.pid);
  const most = memory.stop();
  await mount.stop();
  await store.stop();
  return [mounted, pollCpu, oneSeen, manySeen, longest / 1000, quiet / 1000, rest / 2 ** 20, most / 2 ** 20];
}

function row(name: string, cells: readonly number[], digits: readonly number[]): string {
  return `${name.padStart(10)}${cells.map((cell, at) => cell.toFixed(digits[at] ?? 2).padStart(11)).join('')}`;
}

async function bench(context: Cleanup): Promise<void> {
  const sizes = values.keys.split(',').map(Number);
  console.log(
    `${values.changes} changed objects at once, Node.js ${process.version}; seconds, but where MiB is said`,
  );
  console.log(`${'keys'.padStart(10)}${COLUMNS.map((name) => name.padStart(11)).join('')}`);
  const rows: (readonly number[])[] = [];
  for (const keys of sizes) {
    const cells = await once(context, keys);
    rows.push(cells);
    console.log(row(String(keys), cells, [2, 2, 2, 2, 3, 3, 0, 0]));
  }
  const [first = [], last = []] = [rows[0], rows.at(-1)];
  if (rows.length < 2) return;
  const times = (sizes.at(-1) ?? 1) / (sizes[0] ?? 1);
  console.log(
    row(
      `x ${times}`,
      last.map((cell, at) => cell / (first[at] ?? Number.NaN)),
      [],
    ),
  );
}

await withCleanup(bench);
