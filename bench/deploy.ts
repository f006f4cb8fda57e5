import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild } from '../test/support/child.ts';
import { cli } from '../test/support/mount.ts';
import { StoreProxy } from '../test/support/proxy.ts';
import { TestS3 } from '../test/support/s3.ts';
import { identities, startSeaweedfs } from '../test/support/seaweedfs.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../test/support/temporary.ts';
import { writeTree } from '../test/support/write-tree.ts';

/**
 * Deploys behind a latency, beside a plain upload of the same files: `node dist/bench/deploy.js [--latency 10] [--runs 3]`.
 * Prints the seconds that each command takes from its start to its end, and the requests that the store saw. A plain
 * upload puts each file under its path, 32 at a time; the one of a change puts the one file.
 */
const { values } = parseArgs({
  options: { latency: { type: 'string', default: '10' }, runs: { type: 'string', default: '3' } },
});

const CONNECTIONS = 32;
const FILE_BYTES = 4096;

const directory = await makeTemporaryDirectory();
const seaweedfs = await startSeaweedfs();
const proxy = await StoreProxy.start({ upstream: seaweedfs.endpoint, latency: Number(values.latency) });
try {
  process.stdout.write(
    `${availableParallelism()} cores, Node.js ${process.version}, ${values.latency} ms a request\n`,
  );
  process.stdout.write(`${'seconds'.padStart(9)}  requests\n`);
  for (let run = 0; run < Number(values.runs); run++) {
    const bucket = await seaweedfs.createBucket();
    for (const files of [3_000, 10_000]) {
      const tree = join(directory, `tree-${files}`);
      fillTree(tree, files, run);
      await report('the first deploy to a root, of one file: the store is tried', () =>
        dagmount(bucket, files, ['deploy', join(tree, nameOf(0)), 'first', '--author', 'bench']),
      );
      await report(`${files} files from nothing, deployed`, () => deploy(bucket, files, tree));
      await report(`${files} files from nothing, put one by one`, () => upload(bucket, tree, names(files)));
      writeFileSync(join(tree, nameOf(7)), bytesOf(7, run + 1_000));
      await report(`one of ${files} changed, deployed by its name`, () =>
        deploy(bucket, files, join(tree, nameOf(7)), '--as', nameOf(7)),
      );
      await report(`one of ${files} changed, deployed as a directory`, async () => {
        writeFileSync(join(tree, nameOf(8)), bytesOf(8, run + 1_000));
        await deploy(bucket, files, tree);
      });
      await report('one file, put', () => upload(bucket, tree, [nameOf(7)]));
      await report('rolled back', () => dagmount(bucket, files, ['rollback', 'production']));
      rmSync(tree, { recursive: true });
    }
  }
} finally {
  await proxy.close();
  await seaweedfs.stop();
  await removeTemporaryDirectory(directory);
}

async function report(what: string, work: () => Promise<void>): Promise<void> {
  proxy.resetCounts();
  const start = performance.now();
  await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(2).padStart(9);
  const kinds = (['GET', 'HEAD', 'LIST', 'PUT'] as const).filter((kind) => proxy.count(kind) > 0);
  const counts = kinds.map((kind) => `${proxy.count(kind)} ${kind}`);
  const all = kinds.reduce((sum, kind) => sum + proxy.count(kind), 0);
  process.stdout.write(`${seconds}  ${all} (${counts.join(', ')})  ${what}\n`);
}

function deploy(bucket: string, root: number, source: string, ...flags: string[]): Promise<void> {
  return dagmount(bucket, root, [
    'deploy',
    source,
    'production',
    '-m',
    'bench',
    '--author',
    'bench',
    ...flags,
  ]);
}

async function dagmount(bucket: string, root: number, args: readonly string[]): Promise<void> {
  const { accessKeyId, secretAccessKey } = identities.admin;
  const child = startChild(process.execPath, [cli, ...args], {
    env: {
      ...process.env,
      AWS_ENDPOINT_URL: proxy.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      DAGMOUNT_TO: `s3://${bucket}/releases-${root}`,
    },
  });
  const { code } = await child.exit;
  if (code !== 0) throw new Error(`dagmount ${args.join(' ')} ended with ${code}: ${child.stderr()}`);
}

async function upload(bucket: string, tree: string, paths: readonly string[]): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const s3 = new TestS3({ endpoint: proxy.endpoint, ...identities.admin }, CONNECTIONS);
  const left = [...paths];
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop())
        await s3.put(bucket, `plain/${path}`, await readFile(join(tree, path)));
    }),
  );
  await s3.close();
}

function fillTree(tree: string, files: number, run: number): void {
  writeTree(
    tree,
    Array.from({ length: files }, (_, at) => [nameOf(at), bytesOf(at, run)] as const),
  );
}

function names(files: number): readonly string[] {
  return Array.from({ length: files }, (_, at) => nameOf(at));
}

function nameOf(at: number): string {
  return `team_${at % 20}/dag_${at}.py`;
}

function bytesOf(at: number, run: number): string {
  const line = `value = "${run} ${at}"  # one of many lines\n`;
  return line
    .repeat(Math.ceil(FILE_BYTES / line.length))
    .slice(0, FILE_BYTES - 1)
    .replace(/[^\n]*$/, '');
}
