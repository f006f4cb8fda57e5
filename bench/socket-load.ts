import { fork } from 'node:child_process';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { startMount } from '../test/support/mount.ts';
import { read } from '../test/support/reader.ts';
import { repository } from '../test/support/repository.ts';
import type { Cleanup } from '../test/support/temporary.ts';
import { fillStore } from './filled-store.ts';
import { freshDisk } from './fresh-disk.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * What one keep-alive client that asks for the status 100 times a second costs the readers of a mount, beside one
 * that asks a bare node:http server for as many bytes: `node dist/bench/socket-load.js [--objects 3000]
 * [--alternations 10] [--readers 8] [--scans 3]`.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '3000' },
    alternations: { type: 'string', default: '10' },
    readers: { type: 'string', default: '8' },
    scans: { type: 'string', default: '3' },
    bare: { type: 'string' },
    answer: { type: 'string' },
  },
});

const EVERY_MS = 10;

interface Asked {
  readonly socketPath: string;
  readonly path: string;
}

/** Asks on a thread of its own until it is terminated. */
function askRegularly(asked: Asked): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  setInterval(() => {
    request({ ...asked, agent, headers: { Host: 'x' } }, (answer) => answer.resume()).end();
  }, EVERY_MS);
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** The bare server, in a process of its own as the daemon is. */
function serveBare(path: string, answer: string): void {
  const server = createServer((_, response) => {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
  server.listen(path, () => process.send?.('listening'));
  process.on('disconnect', () => process.exit());
}

async function scansUnder(asked: Asked, target: string): Promise<number[]> {
  const client = new Worker(new URL(import.meta.url), { workerData: asked });
  try {
    const outputs = await Promise.all(
      Array.from({ length: Number(values.readers) }, () =>
        read('python3', [join(repository, 'bench/readers/pass.py'), target, String(values.scans)], {
          deadlineMs: 300_000,
        }),
      ),
    );
    return outputs.flatMap((output) => JSON.parse(output) as number[]);
  } finally {
    await client.terminate();
  }
}

async function answerOf({ socketPath, path }: Asked): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers: { Host: 'x' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });
}

async function bench(context: Cleanup): Promise<void> {
  const store = await fillStore(Number(values.objects), 4096);
  context.after(() => store.seaweedfs.stop());
  const disk = await freshDisk(context);
  const mount = await startMount(context, {
    source: `s3://${store.bucket}/dags`,
    env: store.seaweedfs.readerEnvironment,
    cacheDirectory: join(disk.directory, 'cache'),
    args: ['--endpoint-url', store.seaweedfs.endpoint, '--poll-interval', '1h'],
    deadlineMs: 300_000,
  });
  const status = { socketPath: mount.socket(), path: '/v1/status' };
  const barePath = join(disk.directory, 'bare.sock');
  const child = fork(new URL(import.meta.url), ['--bare', barePath, '--answer', await answerOf(status)]);
  context.after(() => {
    child.disconnect();
  });
  await new Promise((resolve) => child.once('message', resolve));
  const bare = { socketPath: barePath, path: '/' };
  const ratios: number[] = [];
  const all: [number[], number[]] = [[], []];
  for (let at = 0; at < Number(values.alternations); at++) {
    const order = at % 2 === 0 ? [status, bare] : [bare, status];
    const times = new Map<Asked, number[]>();
    for (const asked of order) times.set(asked, await scansUnder(asked, mount.target));
    const [ours = [], theirs = []] = [times.get(status), times.get(bare)];
    all[0].push(...ours);
    all[1].push(...theirs);
    ratios.push(median(ours) / median(theirs));
  }
  const ms = (times: readonly number[]): string => (1000 * median(times)).toFixed(1);
  console.log(
    `median scan of ${values.readers} readers, ${values.objects} files, ${values.alternations} alternations`,
  );
  console.log(`beside 100 GET /v1/status a second ${ms(all[0])} ms, beside a bare server ${ms(all[1])} ms`);
  console.log(
    `ratio ${(median(all[0]) / median(all[1])).toFixed(3)}; of the alternations ${median(ratios).toFixed(3)} (${ratios.map((each) => each.toFixed(2)).join(' ')})`,
  );
}

if (!isMainThread) askRegularly(workerData as Asked);
else if (values.bare !== undefined) serveBare(values.bare, values.answer ?? '');
else await withCleanup(bench);
