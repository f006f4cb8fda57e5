import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { systemCode } from '../base/system-error.ts';
import { ConfigError } from '../config/config-error.ts';
import { mountLogFile, prepareRuntimeDirectory, runtimeDirectory } from '../host/runtime-paths.ts';
import type { Progress } from '../server/server-port.ts';
import { CommandError } from './command-error.ts';
import { CHANNEL_FD, type DaemonMessage, daemonEnvironment } from './daemon-channel.ts';
import { endEarlySignals, terminalIsThere } from './early-signals.ts';
import { exitCodes } from './exit-codes.ts';
import { failureText } from './failure.ts';
import { openLog } from './log-file.ts';
import { ProgressLine } from './progress-line.ts';
import type { Shell } from './shell.ts';
import { SignsOfLife } from './signs-of-life.ts';
import { absoluteIn, requestedIn } from './working-directory.ts';

/**
 * Environment variables that contain file names. This command makes the names absolute, because the daemon's
 * working directory is the root.
 */
const PATH_VARIABLES = [
  'AWS_CA_BUNDLE',
  'AWS_CONFIG_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'DAGMOUNT_HOLD',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Starts this program again as a daemon, in a session of its own and with the same arguments, and waits until
 * the daemon's mount is ready. The daemon's log goes to a file. Resolves to the exit code.
 */
export async function startDaemon(
  args: readonly string[],
  mount: { readonly id: string; readonly source: string; readonly target: string },
  shell: Shell,
): Promise<number> {
  const { uid } = shell.environment;
  const directory = runtimeDirectory(shell.environment);
  prepareRuntimeDirectory(directory, uid);
  const logFile = mountLogFile(directory, mount.id);
  const isFirst = !existsSync(logFile);
  const interrupts = listenToInterrupts(shell.err.isTerminal);
  const supervisor = await shell.supervisorProgram();
  // No daemon exists that could get this signal.
  if (interrupts.happened()) throw interrupted();
  const child = spawnDaemon(args, logFile, supervisor, shell);
  interrupts.passTo(child);
  const ended = new Promise<Ended>((settle, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
  const progress = new ProgressLine(shell);
  const signs = new SignsOfLife(shell);
  try {
    const last = await lastMessage(child, [progress, signs]);
    signs.stop();
    progress.erase();
    if (interrupts.happened()) {
      await ended;
      if (isFirst) rmSync(logFile, { force: true });
      throw interrupted();
    }
    if (last?.kind === 'ready') {
      shell.out.write(
        `${mount.source} is mounted on ${mount.target} (pid ${last.pid ?? child.pid}); its log is ${logFile}\n`,
      );
      return exitCodes.ok;
    }
    const { code, signal } = await ended;
    if (last?.kind === 'failed') {
      // Removes a log that this start created: the command prints the daemon's failure itself.
      if (isFirst) rmSync(logFile, { force: true });
      shell.err.write(failureText(last.failure, last.failure.stack !== undefined));
      return last.failure.exitCode;
    }
    throw new CommandError(
      'daemon-failed',
      `The mount ended before it was ready (${signal ?? `exit code ${code}`}).`,
      `Its log may say why: ${logFile}`,
    );
  } finally {
    signs.stop();
    child.unref();
  }
}

function interrupted(): CommandError {
  return new CommandError('interrupted', 'Stopped before the mount was ready.', 'Nothing is mounted.');
}

function spawnDaemon(
  args: readonly string[],
  logFile: string,
  supervisor: string | undefined,
  shell: Shell,
): ChildProcess {
  const { workingDirectory } = shell.environment;
  const self = shell.self.map((part) => absoluteIn(workingDirectory, part));
  const [program, ...before] = supervisor === undefined ? self : [supervisor, ...self];
  const log = openLogFile(logFile);
  const env = {
    ...absolutePaths(shell.environment),
    ...daemonEnvironment(logFile),
    ...requestedIn(workingDirectory),
  };
  try {
    return spawn(program!, [...before, 'mount', ...args], {
      // A daemon must not keep any directory busy except its own, nor fail if another one is removed.
      cwd: '/',
      detached: true,
      env,
      // What Node.js itself prints when it crashes also goes to the log.
      stdio: ['ignore', log, log, 'pipe'],
    });
  } finally {
    closeSync(log);
  }
}

function openLogFile(path: string): number {
  try {
    return openLog(path);
  } catch (error) {
    const reason = systemCode(error) ?? error;
    throw new ConfigError(
      'runtime-unwritable',
      `The log ${path} cannot be written (${reason}).`,
      'Remove it, or make the directory writable for this user.',
      error,
    );
  }
}

function absolutePaths({ env, workingDirectory }: Shell['environment']): NodeJS.ProcessEnv {
  const named = PATH_VARIABLES.flatMap((variable) => {
    const value = env[variable] ?? '';
    return value === '' ? [] : [[variable, resolve(workingDirectory, value)] as const];
  });
  const { NODE_OPTIONS: options } = env;
  return {
    ...env,
    ...Object.fromEntries(named),
    ...(options !== undefined && { NODE_OPTIONS: absoluteIn(workingDirectory, options) }),
  };
}

/**
 * Reads the daemon's messages, and passes each progress to `shown`. Resolves to `ready` when it comes, or,
 * when the pipe has ended, to `failed` if that was the last message. Until then a failure is not final: all
 * servers of the mount share the pipe, and the supervisor may have started a successor, or a standby failed.
 */
async function lastMessage(
  child: ChildProcess,
  shown: readonly { show(progress: Progress): void }[],
): Promise<Exclude<DaemonMessage, { kind: 'progress' }> | undefined> {
  const pipe = child.stdio[CHANNEL_FD] as Readable | null | undefined;
  if (pipe === null || pipe === undefined) return undefined;
  let rest = '';
  let failed: Extract<DaemonMessage, { kind: 'failed' }> | undefined;
  for await (const text of pipe.setEncoding('utf8')) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = JSON.parse(line) as DaemonMessage;
      if (message.kind === 'ready') return message;
      failed = message.kind === 'failed' ? message : undefined;
      if (message.kind === 'progress') for (const each of shown) each.show(message.progress);
    }
  }
  return failed;
}

interface Interrupts {
  /** Makes each later signal end the child; a second signal ends it immediately. */
  passTo(child: ChildProcess): void;
  happened(): boolean;
}

/**
 * Listens to SIGINT, SIGTERM, and SIGHUP of a closed terminal. Call this before the daemon is started: by
 * default, a signal between the two would end this command and orphan the daemon. A second signal ends the
 * daemon immediately, but not by SIGKILL, which would end only the daemon's supervisor.
 */
function listenToInterrupts(onTerminal: boolean): Interrupts {
  let interrupted = false;
  let child: ChildProcess | undefined;
  const interrupt = (): void => {
    child?.kill('SIGTERM');
    interrupted = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  // SIGHUP makes a mount list the store again, which a mount that starts does anyway. So SIGHUP ends the
  // daemon only if the terminal was closed.
  process.on('SIGHUP', () => {
    if (onTerminal && !terminalIsThere()) interrupt();
  });
  endEarlySignals();
  return {
    passTo: (started) => {
      child = started;
    },
    happened: () => interrupted,
  };
}
