import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launchMount } from '../test/support/mount.ts';
import { cpuSeconds, watchProportionalSetSize } from '../test/support/processes.ts';
import { StoreProxy } from '../test/support/proxy.ts';
import { read } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import { startSeaweedfs } from '../test/support/seaweedfs.ts';
import { type Cleanup, defer, temporaryDirectory } from '../test/support/temporary.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * A large object, nothing of it cached, read from its start to its end through the mount, and downloaded plainly, by
 * turns: `node dist/bench/large.js [--mib 2048] [--latency 10] [--runs 3] [--cache-size 2GiB]`. The plain download is
 * one connection without parallelism, once by ranges of 8 MiB one after another, once by a single range. Prints MiB/s,
 * the reader's longest wait for a MiB, the daemon's memory at the highest (PSS), its processor time, and the bytes that
 * it asked the store for.
 */
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '2048' },
    latency: { type: 'string', default: '10' },
    runs: { type: 'string', default: '3' },
    'cache-size': { type: 'string', default: '2GiB' },
  },
});
const MIB = 2 ** 20;
const PART_BYTES = 64 * MIB;
const RANGE_BYTES = 8 * MIB;
const bytes = Number(values.mib) * MIB;

interface Took {
  readonly seconds: number;
  readonly bytes: number;
  readonly longest?: number;
}

function rate(took: Took): string {
  if (took.bytes !== bytes) throw new Error(`${took.bytes} of ${bytes} bytes came`);
  return (took.bytes / MIB / took.seconds).toFixed(0);
}

/** No two places have the same bytes: a chunk in the wrong place would change the object. */
function* parts(): Generator<Uint8Array> {
  for (let made = 0; made < bytes; made += PART_BYTES) {
    yield randomFillSync(Buffer.allocUnsafe(Math.min(PART_BYTES, bytes - made)));
  }
}

async function throughTheMount(
  context: Cleanup,
  source: string,
  env: Readonly<Record<string, string>>,
  proxy: StoreProxy,
): Promise<string> {
  // Not a file system in a file, in which every write is copied once more.
  const directory = await temporaryDirectory(context);
  const mount = await launchMount(context, {
    source,
    env,
    args: ['--endpoint-url', proxy.endpoint, '--poll-interval', '1h', '--cache-size', values['cache-size']],
    cacheDirectory: join(directory, 'cache'),
  });
  await mount.logged('ready');
  proxy.resetCounts();
  const memory = watchProportionalSetSize(mount.pid);
  defer(context, () => void memory.stop());
  const before = cpuSeconds(mount.pid);
  const script = join(repository, 'bench/readers/sequential.py');
  const took = JSON.parse(
    await read('python3', [script, join(mount.target, 'large.bin')], { deadlineMs: 600_000 }),
  ) as Took;
  const cpu = cpuSeconds(mount.pid) - before;
  const most = memory.stop();
  await mount.stop();
  const longest = ((took.longest ?? 0) * 1000).toFixed(0);
  return (
    `${rate(took).padStart(6)} MiB/s   longest wait ${longest} ms, CPU ${cpu.toFixed(1)} s, PSS ` +
    `${(most / MIB).toFixed(0)} MiB, ${proxy.count('GET')} GET, at most ${proxy.mostAtOnce} at once`
  );
}

async function bench(context: Cleanup): Promise<void> {
  const seaweedfs = await startSeaweedfs();
  defer(context, () => seaweedfs.stop());
  const bucket = await seaweedfs.createBucket();
  await seaweedfs.s3.putInParts(bucket, 'dags/large.bin', parts());
  const proxy = await StoreProxy.start({ upstream: seaweedfs.endpoint, latency: Number(values.latency) });
  defer(context, () => proxy.close());
  const env = seaweedfs.readerEnvironment;
  const plain = async (range: number): Promise<string> => {
    const script = join(repository, 'dist/bench/plain-download.js');
    const args = [script, proxy.endpoint, bucket, 'dags/large.bin', String(bytes), String(range)];
    return rate(JSON.parse(await read(process.execPath, args, { env, deadlineMs: 600_000 })) as Took);
  };
  console.log(`one object of ${values.mib} MiB, ${values.latency} ms a request`);
  for (let run = 0; run < Number(values.runs); run += 1) {
    console.log(`plain, by 8 MiB  ${(await plain(RANGE_BYTES)).padStart(6)} MiB/s`);
    console.log(`plain, one range ${(await plain(bytes)).padStart(6)} MiB/s`);
    const line = await withCleanup((turn) => throughTheMount(turn, `s3://${bucket}/dags`, env, proxy));
    console.log(`the mount        ${line}`);
  }
}

await withCleanup(bench);
