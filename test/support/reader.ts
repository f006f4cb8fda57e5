import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from './child.ts';
import { repository } from './repository.ts';

/**
 * Every process that looks into a mount is a child of the test: a mount that hangs must not block the test's own
 * threads, and a deadline tells a reader that hangs from a slow one.
 */
export interface Reading {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Reader {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Writes a line to the reader's standard input. */
  tell(line: string): void;
  /** Closes the reader's standard input. */
  end(): void;
  kill(): void;
  /** Rejects, and kills the reader, if it does not end in time. */
  readonly done: Promise<Reading>;
}

export interface ReaderOptions {
  readonly deadlineMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: 'ignore' | 'pipe';
}

export function startReader(command: string, args: readonly string[], options: ReaderOptions = {}): Reader {
  const child = startChild(command, args, {
    env: { ...process.env, LC_ALL: 'C', PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.stdin ?? 'ignore',
  });
  const deadlineMs = options.deadlineMs ?? 150_000;
  const late = new AbortController();
  const done = Promise.race([
    child.exit.then((exit) => ({
      pid: child.pid,
      stdout: child.stdout(),
      stderr: child.stderr(),
      ...exit,
    })),
    delay(deadlineMs, undefined, { signal: late.signal }).then(() => {
      // A reader that waits in the kernel survives this; the end of the mount frees it.
      child.kill('SIGKILL');
      throw new Error(`a reader hung for ${deadlineMs} ms: ${command} ${args.join(' ').slice(0, 300)}`);
    }),
  ]).finally(() => late.abort());
  done.catch(() => undefined);
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    tell: (line) => {
      child.process.stdin?.write(`${line}\n`);
    },
    end: () => {
      child.process.stdin?.end();
    },
    kill: () => child.kill('SIGKILL'),
    done,
  };
}

/** Runs the command, and waits for its end; rejects with its output if its exit code is not 0. */
export async function read(
  command: string,
  args: readonly string[],
  options: ReaderOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await startReader(command, args, options).done;
  if (code !== 0) {
    throw new Error(`${command} ${args.join(' ').slice(0, 300)} exited with ${code}: ${stderr}${stdout}`);
  }
  return stdout;
}

/** Runs a shell script, with the mount point as $0 and as its directory. */
export async function shell(target: string, script: string, options: ReaderOptions = {}): Promise<string> {
  return await read('sh', ['-c', `cd "$0" && ${script}`, target], options);
}

/** Starts a program of test/support/readers/. */
export function startPython(script: string, args: readonly string[], options: ReaderOptions = {}): Reader {
  return startReader('python3', [join(repository, 'test/support/readers', script), ...args], options);
}

/** Runs Python source, with the mount point as sys.argv[1]; returns its output. */
export async function python(
  source: string,
  args: readonly string[],
  options: ReaderOptions = {},
): Promise<string> {
  return await read('python3', ['-c', source, ...args], options);
}
