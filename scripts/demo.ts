import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildApp } from 'fauxqs';

/**
 * The show behind scripts/demo: an embedded store on the loopback address, a DAG folder in it, a mount, and a change
 * that arrives. The store lives in this process, so whatever looks into the mount is a child that is waited for
 * without blocking.
 */
const bucket = 'acme-dags';
const prefix = 'prod/';
const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };
const region = 'us-east-1';
const changed = 'sql/daily_sales.sql';
const repository = join(import.meta.dirname, '../..');

const colour = process.env.NO_COLOR === undefined && process.stdout.isTTY === true;
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
const bold = (text: string): string => paint(1, text);
const dim = (text: string): string => paint(2, text);
const green = (text: string): string => paint(32, text);

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function fact(name: string, text: string): void {
  say(`  ${bold(name.padEnd(9))} ${text}`);
}

/** What is to be undone, the last first. */
type Undo = () => Promise<void>;

/** A failure whose message is all that a user needs. */
class DemoError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The embedded store checks no signature, so a plain PUT is enough for a bucket or an object. */
type Put = (path: string, body?: Uint8Array | string) => Promise<void>;

async function startStore(undo: Undo[]): Promise<{ endpoint: string; put: Put }> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  undo.push(async () => {
    await app.close();
  });
  const send: Put = async (path, body = '') => {
    const answer = await fetch(`${endpoint}/${bucket}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });
    if (!answer.ok) throw new Error(`the embedded store answered ${answer.status} to a PUT of ${path}`);
  };
  await send('');
  return { endpoint, put: (path, body) => send(`/${prefix}${path}`, body) };
}

async function upload(put: Put): Promise<{ files: number; bytes: number }> {
  const folder = join(repository, 'scripts/demo-dags');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  let bytes = 0;
  for (const file of files) {
    const body = await readFile(file);
    await put(relative(folder, file), body);
    bytes += body.length;
  }
  return { files: files.length, bytes };
}

async function mount(
  endpoint: string,
  target: string,
  cache: string,
  undo: Undo[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const command = [
    'mount',
    `s3://${bucket}/${prefix}`,
    target,
    '--endpoint-url',
    endpoint,
    '--poll-interval',
    '1s',
  ];
  const entry = join(repository, 'dist/bundle/cli/main.js');
  // In a process group of its own: Ctrl-C reaches this process alone, which then ends the mount in its turn.
  const child = spawn(process.execPath, [entry, ...command, '--cache-dir', cache, '--log-format', 'json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      NO_PROXY: '127.0.0.1',
    },
  });
  const exit = once(child, 'exit').then(([code]) => (code as number | null) ?? 70);
  undo.push(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  await ready(child, exit, signal);
  return command;
}

/** Until the daemon logs that it is ready; where it ends before, with its own words and its own exit code. */
async function ready(child: ChildProcess, exit: Promise<number>, signal: AbortSignal): Promise<void> {
  let log = '';
  const isReady = new Promise<undefined>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-50_000);
      if (/"event":"ready"/.test(log)) resolve(undefined);
    });
  });
  const aborted = once(signal, 'abort').then(() => undefined);
  const code = await Promise.race([isReady, exit, aborted]);
  signal.throwIfAborted();
  if (code !== undefined) throw new DemoError(`The mount failed.\n${readable(log)}`, code === 0 ? 70 : code);
}

/** The messages of a JSON log, and whatever else stands between its lines. */
function readable(log: string): string {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line)
    .join('\n');
}

/** Runs a command in a child process and gives what it printed. */
async function run(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    env: { ...process.env, LC_ALL: 'C' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}: ${output}`);
  return output;
}

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, '    ');
}

async function showTree(target: string, signal: AbortSignal): Promise<void> {
  say();
  say(dim(`  $ ls -lAR ${target}`));
  const listing = await run('ls', ['-lAR', target], signal);
  say(indented(listing.replaceAll(`${target}/`, '').replace(`${target}:`, '.:')));
}

async function showChange(put: Put, target: string, signal: AbortSignal): Promise<void> {
  const file = join(target, changed);
  const head = async (): Promise<string> => {
    say(dim(`  $ head -1 ${file}`));
    return indented(await run('head', ['-1', file], signal));
  };
  say();
  say(await head());
  const source = await readFile(join(repository, 'scripts/demo-dags', changed), 'utf8');
  const next = source
    .replace('revision 1: gross sales', 'revision 2: gross and net sales')
    .replace('orders, gross)', 'orders, gross, net)')
    .replace('/ 100.0 as gross', '/ 100.0 as gross,\n    sum(total_cents - tax_cents) / 100.0 as net');
  await put(changed, next);
  const start = performance.now();
  say(`  ${dim('…')} a new ${changed} is put into the store`);
  const wait = 'until grep -q "revision 2" "$0"; do sleep 0.02; done';
  await run('sh', ['-c', wait, file], signal);
  const seconds = (performance.now() - start) / 1000;
  say(await head());
  say();
  say(`  ${green('✔')} the change arrived in the mount ${bold(`${seconds.toFixed(2)} s`)} after the upload`);
  say(
    dim('    (polled every second, then listed once more a second later, so that a deploy arrives as one)'),
  );
}

async function show(once_: boolean, undo: Undo[], signal: AbortSignal): Promise<void> {
  say();
  say(bold('dagmount demo'));
  const { endpoint, put } = await startStore(undo);
  fact('store', `embedded, at ${endpoint}, bucket ${bucket}`);
  const { files, bytes } = await upload(put);
  fact('uploaded', `${files} files, ${(bytes / 1024).toFixed(1)} KiB, to s3://${bucket}/${prefix}`);
  const directory = await mkdtemp(join(tmpdir(), 'dagmount-demo-'));
  undo.splice(0, 0, () => rm(directory, { recursive: true, force: true }));
  const target = join(directory, 'dags');
  await mkdir(target);
  const start = performance.now();
  const command = await mount(endpoint, target, join(directory, 'cache'), undo, signal);
  fact('mounted', `${green(target)} in ${Math.round(performance.now() - start)} ms, with`);
  say(`            ${dim(`dagmount ${command.join(' ')}`)}`);
  await showTree(target, signal);
  await showChange(put, target, signal);
  if (once_) return;
  say();
  fact('look', `ls -l ${target}`);
  const { accessKeyId, secretAccessKey } = credentials;
  fact(
    'change',
    `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} aws --region ${region} --endpoint-url ${endpoint} \\\n` +
      `              s3 cp my_dag.py s3://${bucket}/${prefix}`,
  );
  fact('end', 'Ctrl-C unmounts and takes everything away');
  while (!signal.aborted) await delay(60_000, undefined, { signal });
}

/** True when all of it went. */
async function undoAll(undo: Undo[]): Promise<boolean> {
  let clean = true;
  for (let next = undo.pop(); next !== undefined; next = undo.pop()) {
    await next().catch((error: unknown) => {
      clean = false;
      process.stderr.write(`could not clean up: ${String(error)}\n`);
    });
  }
  return clean;
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
const undo: Undo[] = [];
let exitCode = 0;
try {
  await show(process.argv.includes('--once'), undo, stop.signal);
} catch (error) {
  if (!stop.signal.aborted) {
    exitCode = error instanceof DemoError ? error.exitCode : 70;
    process.stderr.write(`${error instanceof DemoError ? error.message : String((error as Error).stack)}\n`);
  }
}
if (!(await undoAll(undo)) && exitCode === 0) exitCode = 70;
if (exitCode === 0) say(dim('\n  unmounted, the store stopped, nothing left behind'));
process.exitCode = exitCode;
