import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { access, region, type Store } from './store.ts';

export const repository = join(import.meta.dirname, '../../..');
export const demoDags = join(repository, 'scripts/demo-dags');
const entry = join(repository, 'dist/bundle/cli/main.js');

/** Undoes one step; the last step is undone first. */
export type Undo = () => Promise<void>;

/** Where the parts of the show happen. */
export interface Stage {
  readonly store: Store;
  /** Removed at the end. */
  readonly directory: string;
  readonly undo: Undo[];
  readonly signal: AbortSignal;
}

/** A failure whose message is all that a user needs. */
export class DemoError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The user's own settings of dagmount and of AWS are for other stores. */
function environment({ store }: Stage): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|DAGMOUNT)_/.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_REGION: region,
    AWS_ENDPOINT_URL: store.endpoint,
    NO_PROXY: '127.0.0.1',
    NO_COLOR: '1',
    LC_ALL: 'C',
  };
}

/** Mounts, waits until everything is local, and unmounts at the end of the show. */
export async function mount(stage: Stage, args: readonly string[], cache: string): Promise<void> {
  const { undo, signal } = stage;
  // In a process group of its own: Ctrl-C reaches this process alone, which then ends the mount in its turn.
  const child = spawn(
    process.execPath,
    [entry, 'mount', ...args, '--cache-dir', cache, '--log-format', 'json'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: environment(stage),
    },
  );
  const exit = once(child, 'exit').then(([code]) => (code as number | null) ?? 70);
  undo.push(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  await ready(child, exit, signal);
}

/**
 * Resolves when the daemon logs that it is ready. If it ends before, rejects with its own words and its own exit code.
 */
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

/** The messages of a JSON log, and any other text between its lines. */
function readable(log: string): string {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line)
    .join('\n');
}

/** Runs a command of dagmount to its end, and returns what it printed. */
export function dagmount(stage: Stage, args: readonly string[], cwd: string): Promise<string> {
  return run(process.execPath, [entry, ...args], stage, cwd);
}

/** Runs a command in a child process, and returns what it printed. */
export async function run(
  command: string,
  args: readonly string[],
  stage: Stage,
  cwd: string = stage.directory,
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stage.signal,
    cwd,
    env: environment(stage),
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

/** Resolves when a file of a mount has this text. */
export async function untilShown(stage: Stage, file: string, text: string): Promise<void> {
  await run('sh', ['-c', 'until grep -qF "$1" "$0"; do sleep 0.02; done', file, text], stage);
}
