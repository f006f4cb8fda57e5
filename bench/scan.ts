import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mount, startMount } from '../test/support/mount.ts';
import { read } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import type { Cleanup } from '../test/support/temporary.ts';
import { type FilledStore, fillStore } from './filled-store.ts';
import { freshDisk } from './fresh-disk.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * Scans of a warm mount against a copy on the local disk, alternating in one process: `node dist/bench/scan.js
 * [--objects 10000] [--bytes 4096] [--runs 9]`.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '4096' },
    runs: { type: 'string', default: '9' },
  },
});

type Times = Readonly<Record<string, readonly number[]>>;

const reader = join(repository, 'bench/readers/scan.py');

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

async function copyTo(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  const made = new Set<string>();
  for (const [path, body] of files) {
    const parent = join(directory, path, '..');
    if (!made.has(parent)) await mkdir(parent, { recursive: true });
    made.add(parent);
    await writeFile(join(directory, path), body);
  }
}

async function mountFilled(context: Cleanup, store: FilledStore, cacheDirectory: string): Promise<Mount> {
  return await startMount(context, {
    source: `s3://${store.bucket}/dags`,
    env: store.seaweedfs.readerEnvironment,
    cacheDirectory,
    args: ['--endpoint-url', store.seaweedfs.endpoint, '--poll-interval', '1h'],
    deadlineMs: 300_000,
  });
}

/** The daemon logs its upcalls at its end, so a warm scan's are what a mount with one scan more has had. */
async function upcalls(
  context: Cleanup,
  store: FilledStore,
  cache: string,
  scans: number,
): Promise<Record<string, number>> {
  const mount = await mountFilled(context, store, cache);
  const way = join(repository, 'test/support/readers/walk.py');
  for (let scan = 0; scan < scans; scan += 1)
    await read('python3', [way, mount.target, 'open'], { deadlineMs: 300_000 });
  await mount.stop();
  const line = mount.log().find((each) => each.event === 'upcalls');
  return (line?.opcodes ?? {}) as Record<string, number>;
}

async function bench(context: Cleanup): Promise<void> {
  const runs = Number(values.runs);
  const store = await fillStore(Number(values.objects), Number(values.bytes));
  context.after(() => store.seaweedfs.stop());
  const disk = await freshDisk(context);
  const copy = join(disk.directory, 'copy');
  const cache = join(disk.directory, 'cache');
  await copyTo(copy, store.files);
  const mount = await mountFilled(context, store, cache);
  const output = await read('python3', [reader, String(runs), mount.target, copy], { deadlineMs: 600_000 });
  const { times, files } = JSON.parse(output) as { times: readonly [Times, Times]; files: readonly number[] };
  await mount.stop();
  console.log(
    `${files.join(' and ')} files of ${values.bytes} bytes, median of ${runs} warm runs, ms; ${disk.kind}`,
  );
  console.log('scan                                   mount    disk   ratio   best ratio');
  const ways = [
    ['walk', 'os.walk + os.stat'],
    ['os', '  + os.open, os.read 64 KiB, os.close'],
    ['open', '  + open().read()'],
  ] as const;
  for (const [way, title] of ways) {
    const [ours = [], disk = []] = times.map((each) => each[way] ?? []);
    const cells = [median(ours) * 1000, median(disk) * 1000].map((each) => each.toFixed(1).padStart(8));
    const ratio = (median(ours) / median(disk)).toFixed(2).padStart(8);
    const best = (Math.min(...ours) / Math.min(...disk)).toFixed(2).padStart(8);
    console.log(`${title.padEnd(36)}${cells.join('')}${ratio}${best}`);
  }
  const one = await upcalls(context, store, cache, 1);
  const two = await upcalls(context, store, cache, 2);
  const more = Object.keys({ ...one, ...two })
    .map((opcode) => [opcode, (two[opcode] ?? 0) - (one[opcode] ?? 0)] as const)
    .filter(([, count]) => count !== 0);
  console.log(
    `upcalls of a warm open() scan: ${more.map(([opcode, count]) => `${opcode} ${count}`).join(', ') || 'none'}`,
  );
}

await withCleanup(bench);
