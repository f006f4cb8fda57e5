import { type ChildProcess, spawn } from 'node:child_process';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly exit: Promise<ChildExit>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a child; keeps its output (the last 4 MiB of each stream), and resolves `exit` at its end. */
export function startChild(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
    readonly stdin?: 'ignore' | 'pipe';
  } = {},
): Child {
  const child = spawn(command, args, {
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  });
  const kept = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      kept[name] = (kept[name] + text).slice(-4 * 2 ** 20);
    });
  }
  const exit = new Promise<ChildExit>((resolve, reject) => {
    child.once('error', reject);
    // "close" and not "exit": by then the last output has arrived too.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  // Code that awaits `exit` gets the error; without such code, the error must not end the test process.
  exit.catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    process: child,
    exit,
    stdout: () => kept.stdout,
    stderr: () => kept.stderr,
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
