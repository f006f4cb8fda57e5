import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { serveManyObjects } from '../test/support/many-objects.ts';
import { cleanEnvironment, type LogLine, launchMount } from '../test/support/mount.ts';
import { cpuSeconds, watchProportionalSetSize } from '../test/support/processes.ts';
import { StoreProxy } from '../test/support/proxy.ts';
import { startReader } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import { type Cleanup, defer } from '../test/support/temporary.ts';
import { deployRelease } from './deployed-release.ts';
import { fillStore } from './filled-store.ts';
import { freshDisk } from './fresh-disk.ts';
import { type Copied, type CopyProgram, copyInParallel, installCopyProgram } from './parallel-copy.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * A first mount, nothing cached, behind a latency: `node dist/bench/cold.js [--objects 10000] [--bytes 4096]
 * [--latency 10] [--runs 3] [--concurrency N] [--store seaweedfs|fake] [--ref] [--deploys 500] [--minimal]`. Prints the seconds
 * from the start of the command to the mount, to a complete walk with a stat of each file, to all content read by one
 * reader, and to the daemon's own "ready". Also prints the daemon's highest memory (PSS, its processes together), the
 * processor time until it was ready, and the requests that the store saw. With --ref it alternates with the same files
 * as a release, fresh and after that many deploys of one file each.
 *
 * Each run is compared with `rclone copy --transfers 64` of the same objects over the same connection to a new disk.
 * The end says how many times as long the mount took until all was read. The bench installs rclone; if it cannot, or
 * with --no-peer, it compares nothing. With --minimal, bench/minimal-client.ts copies them too: how fast Node.js
 * itself could be.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '4096' },
    latency: { type: 'string', default: '10' },
    runs: { type: 'string', default: '3' },
    store: { type: 'string', default: 'seaweedfs' },
    ref: { type: 'boolean', default: false },
    deploys: { type: 'string', default: '500' },
    concurrency: { type: 'string' },
    'no-peer': { type: 'boolean', default: false },
    minimal: { type: 'boolean', default: false },
  },
});

interface Seen {
  readonly mounted: number;
  readonly walked: number;
  readonly read: number;
  readonly files: number;
  readonly bytes: number;
}

interface Row {
  readonly text: string;
  /** Seconds until all content was read, or copied. */
  readonly read: number;
}

async function once(context: Cleanup, { source, endpoint, env, proxy, isRelease }: Origin): Promise<Row> {
  proxy?.resetCounts();
  const disk = await freshDisk(context);
  const start = Date.now() / 1000;
  const mount = await launchMount(context, {
    source,
    env,
    args: [
      '--endpoint-url',
      endpoint,
      '--poll-interval',
      '1h',
      ...(values.concurrency === undefined ? [] : ['--concurrency', values.concurrency]),
      ...(isRelease ? ['--ref', 'bench', '--state-dir', join(disk.directory, 'state')] : []),
    ],
    cacheDirectory: join(disk.directory, 'cache'),
  });
  const script = join(repository, 'bench/readers/cold.py');
  const reader = startReader('python3', [script, mount.target], { deadlineMs: 600_000 });
  const memory = watchProportionalSetSize(mount.pid, 250);
  defer(context, () => void memory.stop());
  const reading = await reader.done;
  if (reading.code !== 0) throw new Error(`the reader failed: ${reading.stderr}`);
  const seen = JSON.parse(reading.stdout) as Seen;
  const readyLine = await mount.logged('ready', 300_000);
  const ready = loggedAt(readyLine);
  const most = memory.stop();
  const cpu = cpuSeconds(mount.pid);
  await mount.stop();
  const times = [seen.mounted, seen.walked, seen.read, ready].map((at) => at - start);
  const [, , read = Number.NaN] = times;
  const cells = [...times, cpu].map((each) => each.toFixed(2).padStart(9));
  const rest = `${(most / 2 ** 20).toFixed(0).padStart(9)}   ${source}: ${requestsOf(proxy)}${disk.kind}`;
  return { text: `${cells.join('')}${rest}`, read };
}

/** Copies the same objects. */
async function copyOnce(context: Cleanup, program: string, origin: Origin): Promise<Row> {
  const { source, endpoint, env, proxy } = origin;
  proxy?.resetCounts();
  const disk = await freshDisk(context);
  const path = source.replace('s3://', '');
  const { seconds, cpu } = await copyInParallel(
    program,
    { path, endpoint, env },
    join(disk.directory, 'copy'),
  );
  return rowOfCopy('rclone copy', { seconds, cpu }, `${requestsOf(proxy)}${disk.kind}`);
}

function rowOfCopy(name: string, { seconds, cpu }: Copied, rest: string): Row {
  const cells = [seconds.toFixed(2).padStart(27), cpu.toFixed(2).padStart(18)];
  return { text: `${cells.join('')}${name.padStart(23)}: ${rest}`, read: seconds };
}

/** Copies the same objects by a program that does nothing else. */
async function minimalOnce(context: Cleanup, origin: Origin): Promise<Row> {
  const { source, endpoint, env, proxy } = origin;
  proxy?.resetCounts();
  const disk = await freshDisk(context);
  const [bucket = '', folder = ''] = source.replace('s3://', '').split('/', 2);
  const program = join(import.meta.dirname, 'minimal-client.js');
  const start = performance.now();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, endpoint, bucket, `${folder}/`, join(disk.directory, 'copy')],
    { env: { ...cleanEnvironment(), ...env } },
  );
  const seconds = (performance.now() - start) / 1000;
  const { objects, cpu } = JSON.parse(stdout) as { readonly objects: number; readonly cpu: number };
  if (objects !== Number(values.objects)) throw new Error(`the minimal client copied ${objects} objects`);
  return rowOfCopy('minimal copy', { seconds, cpu }, `${requestsOf(proxy)}${disk.kind}`);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN;
}

function requestsOf(proxy: StoreProxy | undefined): string {
  if (proxy === undefined) return '';
  const counts = (['LIST', 'GET', 'HEAD'] as const).map((kind) => `${proxy.count(kind)} ${kind}`);
  return `${counts.join(', ')}, at most ${proxy.mostAtOnce} at once; `;
}

/** pino's time is in milliseconds, or in words. */
function loggedAt(line: LogLine): number {
  const time = line.time;
  return typeof time === 'number' ? time / 1000 : Date.parse(String(time)) / 1000;
}

/** Where the objects are, behind the latency. */
interface Origin {
  readonly source: string;
  readonly endpoint: string;
  readonly env: Readonly<Record<string, string>>;
  readonly proxy: StoreProxy | undefined;
  readonly isRelease: boolean;
}

/** A real store, which takes its share of the processors that the daemon has. */
async function seaweedfs(context: Cleanup): Promise<readonly Origin[]> {
  const store = await fillStore(Number(values.objects), Number(values.bytes));
  defer(context, () => store.seaweedfs.stop());
  const proxy = await StoreProxy.start({
    upstream: store.seaweedfs.endpoint,
    latency: Number(values.latency),
  });
  defer(context, () => proxy.close());
  const { readerEnvironment: env } = store.seaweedfs;
  const origin = (folder: string, isRelease: boolean): Origin => {
    return { source: `s3://${store.bucket}/${folder}`, endpoint: proxy.endpoint, env, proxy, isRelease };
  };
  if (!values.ref) return [origin('dags', false)];
  await deployRelease({ ...store, prefix: 'fresh/', changes: 0 });
  await deployRelease({ ...store, prefix: 'worn/', changes: Number(values.deploys) });
  return [origin('dags', false), origin('fresh', true), origin('worn', true)];
}

/** A store that costs little here, like one on another host. */
async function fake(context: Cleanup): Promise<readonly Origin[]> {
  const store = await serveManyObjects({
    objects: Number(values.objects),
    prefix: 'dags/',
    bytes: Number(values.bytes),
    latency: Number(values.latency),
  });
  defer(context, () => store.stop());
  const env = { AWS_ACCESS_KEY_ID: 'reader', AWS_SECRET_ACCESS_KEY: 'not-checked' };
  return [{ source: 's3://fake/dags', endpoint: store.endpoint, env, proxy: undefined, isRelease: false }];
}

async function bench(context: Cleanup): Promise<void> {
  const origins = values.store === 'fake' ? await fake(context) : await seaweedfs(context);
  console.log(
    `${values.objects} objects of ${values.bytes} bytes, ${values.store}, ${values.latency} ms a request; seconds, MiB`,
  );
  const peer: CopyProgram = values['no-peer']
    ? { path: undefined, why: '--no-peer' }
    : await installCopyProgram(context);
  console.log(peer.path === undefined ? `without a parallel copy: ${peer.why}` : peer.version);
  console.log('  mounted   walked     read    ready      CPU      PSS');
  const reads: number[] = [];
  const copies: number[] = [];
  const minimal: number[] = [];
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const origin of origins) {
      const row = await once(context, origin);
      console.log(row.text);
      if (origin.isRelease) continue;
      reads.push(row.read);
      if (peer.path !== undefined) copies.push(told(await copyOnce(context, peer.path, origin)));
      if (values.minimal) minimal.push(told(await minimalOnce(context, origin)));
    }
  }
  if (copies.length > 0) compare('to have all read took', reads, copies);
  if (minimal.length > 0 && copies.length > 0) compare('the minimal copy took', minimal, copies);
}

/** Prints the row, and returns its seconds. */
function told({ text, read }: Row): number {
  console.log(text);
  return read;
}

function compare(what: string, some: readonly number[], others: readonly number[]): void {
  const ratios = some.map((seconds, run) => seconds / (others[run] ?? Number.NaN));
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  const ratio = median(some) / median(others);
  console.log(`${what} ${ratio.toFixed(2)} times as long as rclone's copy (medians; runs ${range})`);
}

await withCleanup(bench);
