import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { cleanEnvironment, cli, launchMount } from '../test/support/mount.ts';
import { StoreProxy } from '../test/support/proxy.ts';
import { startReader } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import { type Cleanup, defer, temporaryDirectory } from '../test/support/temporary.ts';
import { fillStore } from './filled-store.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * From the start of the command to the first byte of a file, from a tree that an earlier daemon kept:
 * `node dist/bench/start.js [--objects 3000] [--runs 7] [--cli FILE...] [--store-down]`. Runs of each entry are
 * interleaved; printed are the median and the range, `node -e 0` and `dagmount version` beside them. Then the same of
 * `dagmount status` of a mount that is ready, by turns with `node -e 0`.
 * NODE_EXTRA_CA_CERTS, which adds some 75 ms to each start of Node.js, is left out.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '3000' },
    runs: { type: 'string', default: '7' },
    cli: { type: 'string', multiple: true, default: [cli] },
    'store-down': { type: 'boolean', default: false },
  },
});

const run = promisify(execFile);
delete process.env.NODE_EXTRA_CA_CERTS;

/** Seconds. */
async function seconds(program: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  await run(program, [...args], { env: cleanEnvironment() });
  return (performance.now() - start) / 1000;
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (index: number): string => (sorted[index] ?? Number.NaN).toFixed(3);
  return `${at(sorted.length >> 1)} (${at(0)} to ${at(sorted.length - 1)})`;
}

async function bench(context: Cleanup): Promise<void> {
  const store = await fillStore(Number(values.objects), 4096);
  defer(context, () => store.seaweedfs.stop());
  const proxy = await StoreProxy.start({ upstream: store.seaweedfs.endpoint });
  defer(context, () => proxy.close());
  const directory = await temporaryDirectory(context);
  const target = join(directory, 'target');
  await mkdir(target);
  const [path = ''] = store.files.keys();
  const mountOnce = async (
    entry: string,
    whenReady?: (socket: string) => Promise<unknown>,
  ): Promise<number> => {
    const start = Date.now() / 1000;
    const mount = await launchMount(context, {
      source: `s3://${store.bucket}/dags`,
      env: { ...store.seaweedfs.readerEnvironment, XDG_RUNTIME_DIR: directory },
      args: ['--endpoint-url', proxy.endpoint, '--poll-interval', '1h'],
      cli: resolve(entry),
      cacheDirectory: join(directory, 'cache'),
      target,
    });
    const script = join(repository, 'bench/readers/first-byte.py');
    const reader = startReader('python3', [script, join(mount.target, path)], { deadlineMs: 30_000 });
    const { code, stdout, stderr } = await reader.done.catch((error: unknown) => {
      throw new Error(`${String(error)}\n${mount.stderr().slice(-2_000)}`);
    });
    if (code !== 0) throw new Error(`the reader failed: ${stderr}`);
    if (whenReady !== undefined) {
      await mount.logged('ready', 120_000);
      await whenReady(mount.socket());
    }
    await mount.stop();
    return Number(stdout) - start;
  };
  await mountOnce(values.cli[0] as string, async () => undefined);
  if (values['store-down']) await proxy.close();
  const names = ['node -e 0', ...values.cli.flatMap((entry) => [`${entry} version`, `${entry} mount`])];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let turn = 0; turn < Number(values.runs); turn += 1) {
    times.get('node -e 0')?.push(await seconds(process.execPath, ['-e', '0']));
    for (const entry of values.cli) {
      times.get(`${entry} version`)?.push(await seconds(process.execPath, [entry, 'version']));
      times.get(`${entry} mount`)?.push(await mountOnce(entry));
    }
  }
  for (const entry of values['store-down'] ? [] : values.cli) {
    const [bare, asked]: [number[], number[]] = [[], []];
    await mountOnce(entry, async (socket) => {
      for (let turn = 0; turn < Number(values.runs); turn += 1) {
        bare.push(await seconds(process.execPath, ['-e', '0']));
        asked.push(await seconds(process.execPath, [entry, 'status', '--socket', socket]));
      }
    });
    times.set(`${entry} status`, asked).set(`  node -e 0, by turns with that`, bare);
  }
  console.log(
    `${values.objects} objects, Node.js ${process.version}, ${values.runs} runs; seconds, median and range`,
  );
  for (const [name, each] of times) console.log(`${summary(each)}  ${name}`);
}

await withCleanup(bench);
