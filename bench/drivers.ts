import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ComputedBucket } from '../test/support/computed-bucket.ts';
import { serveManyObjects } from '../test/support/many-objects.ts';
import { type Mount, startMount } from '../test/support/mount.ts';
import { read } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import { type Cleanup, defer } from '../test/support/temporary.ts';
import { freshDisk } from './fresh-disk.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * Scans by both drivers and of a copy on the local disk, in one run: `node dist/bench/drivers.js [--objects 10000]
 * [--bytes 4096] [--runs 5] [--timeouts 0,1]`. Cold is the first scan after the mount was made, with its content in the
 * cache, and after the disk of copy and caches was unmounted and mounted again; warm are the scans after one that is not
 * counted. `--timeouts`: seconds that the kernel may answer by itself with fuse-native, which is what the value in
 * src/session/fuse-native/mount-options.ts was chosen by.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '4096' },
    runs: { type: 'string', default: '5' },
    timeouts: { type: 'string', default: '0' },
  },
});

const run = promisify(execFile);
const objects = Number(values.objects);
const bytes = Number(values.bytes);
const ways = ['cold', 'walk', 'os', 'open'] as const;
type Seconds = Record<(typeof ways)[number], number[]>;

const cold = `
import os, sys, time
start = time.perf_counter()
for top, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(top, name)
        os.stat(path)
        fd = os.open(path, os.O_RDONLY)
        while os.read(fd, 65536): pass
        os.close(fd)
print(time.perf_counter() - start)`;

async function scanned(root: string, into: Seconds): Promise<void> {
  const deadlineMs = 300_000;
  into.cold.push(Number(await read('python3', ['-c', cold, root], { deadlineMs })));
  const reader = join(repository, 'bench/readers/scan.py');
  const output = await read('python3', [reader, '1', root], { deadlineMs });
  const { times } = JSON.parse(output) as { times: readonly [Record<string, readonly number[]>] };
  for (const way of ['walk', 'os', 'open'] as const) into[way].push(...(times[0][way] ?? []));
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

async function bench(context: Cleanup): Promise<void> {
  const store = await serveManyObjects({ objects, prefix: 'dags/', bytes, latency: 0 });
  defer(context, () => store.stop());
  const disk = await freshDisk(context);
  const copy = join(disk.directory, 'copy');
  const bucket = new ComputedBucket(objects, 'dags/', bytes);
  for (let index = 0; index < objects; index += 1) {
    const path = join(copy, bucket.path(index));
    if (index % 100 === 0) await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bucket.body(index));
  }
  const mounted = (name: string, driver: string, seconds = '0'): Promise<Mount> =>
    startMount(context, {
      source: 's3://fake/dags',
      env: {
        AWS_ACCESS_KEY_ID: 'reader',
        AWS_SECRET_ACCESS_KEY: 'not-checked',
      },
      session: { cacheSeconds: seconds },
      args: ['--endpoint-url', store.endpoint, '--poll-interval', '1h', '--driver', driver],
      target: targets.get(name) as string,
      cacheDirectory: join(disk.directory, `cache-${name.replace(/\W/g, '-')}`),
      deadlineMs: 300_000,
    });
  const kinds = [
    ['kernel', 'kernel', '0'],
    ...values.timeouts.split(',').map((seconds) => [`fuse-native, ${seconds} s`, 'fuse-native', seconds]),
  ] as [string, string, string][];
  const targets = new Map<string, string>();
  for (const [name] of kinds) {
    const target = join(dirname(disk.directory), `mount-${name.replace(/\W/g, '-')}`);
    await mkdir(target);
    targets.set(name, target);
  }
  // So that everything is in the caches.
  for (const kind of kinds) await (await mounted(...kind)).stop();
  const times = new Map<string, Seconds>();
  const of = (name: string): Seconds => {
    const found = times.get(name) ?? { cold: [], walk: [], os: [], open: [] };
    times.set(name, found);
    return found;
  };
  for (let turn = 0; turn < Number(values.runs); turn += 1) {
    if (disk.kind.startsWith('a new')) {
      await run('umount', [disk.directory]);
      await run('mount', ['-o', 'loop', join(dirname(disk.directory), 'image'), disk.directory]);
    }
    const turns = [undefined, ...kinds];
    for (const kind of turn % 2 === 0 ? turns : turns.reverse()) {
      if (kind === undefined) await scanned(copy, of('local disk'));
      else {
        const mount = await mounted(...kind);
        await scanned(mount.target, of(kind[0]));
        await mount.stop();
      }
    }
  }
  console.log(
    `${objects} files of ${bytes} bytes, median of ${values.runs} runs, ms (and how many times the local disk's); ` +
      `${cpus().length} cores, Linux ${release()}, Node.js ${process.version}; ${disk.kind}`,
  );
  console.log('| | cold: walk, stat and read | warm: walk and stat | warm: and read | warm: and open() |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const name of ['local disk', ...kinds.map(([each]) => each)]) {
    const cells = ways.map((way) => {
      const own = median(of(name)[way]);
      const ratio = own / median(of('local disk')[way]);
      return `${(1000 * own).toFixed(0)} (${ratio.toFixed(1)})`;
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

await withCleanup(bench);
