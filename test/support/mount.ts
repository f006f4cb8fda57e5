import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LogEvent } from '../../src/base/log-events.ts';
import { ControlClient } from '../../src/control/client.ts';
import type { Status } from '../../src/control/shapes/status.ts';
import { type Child, type ChildExit, startChild } from './child.ts';
import { testedDriver } from './driver.ts';
import { mountsAt } from './mountinfo.ts';
import { maySysAdmin, mountCallImpossible } from './privileges.ts';
import { assertDeclared } from './recording-log.ts';
import { repository } from './repository.ts';
import { BESIDE, TREE, testsTrees } from './shape.ts';
import { serverOf } from './supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

const run = promisify(execFile);

/** A line of the daemon's log; the daemon logs JSON if stderr is not a terminal. */
export interface LogLine {
  readonly event: string;
  readonly level: number | string;
  readonly [field: string]: unknown;
}

export interface Mount {
  /** The mount point. */
  readonly target: string;
  /** The directory that shows the tree: the mount point, unless the tested shape has it elsewhere. */
  readonly tree: string;
  readonly cacheDirectory: string;
  /** The pid of the process that was started: the server's supervisor if there is one, else the server. */
  readonly pid: number;
  /** The pid of the process that answers the kernel; waits for one if there is none at the moment. */
  serverPid(): Promise<number>;
  /** Lets a command find the mount by itself: names the runtime directory of a user's own mount. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exit: Promise<ChildExit>;
  stdout(): string;
  stderr(): string;
  log(): readonly LogLine[];
  /** The path of the control socket, once the server listens. */
  socket(): string;
  /** Waits for the first line of this event. */
  logged(event: LogEvent, deadlineMs?: number): Promise<LogLine>;
  /** A signal that a supervisor cannot pass on (SIGKILL, SIGSTOP, SIGCONT) goes to the supervisor and the server. */
  kill(signal: NodeJS.Signals): void;
  /** Ends the daemon (by default with SIGTERM) and waits for its end; removes the mount by force if that fails. */
  stop(signal?: NodeJS.Signals): Promise<ChildExit>;
}

export interface MountOptions {
  /** s3://bucket/prefix; undefined if the configuration file names the trees */
  readonly source: string | undefined;
  /** Added to a clean environment: the caller's AWS_*, DAGMOUNT_* and proxy settings do not reach the daemon. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Whether the mount has a standby, as by default in production; not so here, since a standby costs as much again. */
  readonly standby?: boolean;
  /** The program that runs the command; by default this process's Node.js. */
  readonly node?: string;
  /** A command before the program, which it execs: for example setpriv. */
  readonly wrapper?: readonly string[];
  /** The command's entry; by default the build of this repository. */
  readonly cli?: string;
  /** A session with settings that differ from the product's. */
  readonly session?: TestedSession;
  readonly target?: string;
  readonly cacheDirectory?: string;
  /** The event to wait for; by default 'ready' (everything to be prefetched is local). */
  readonly until?: 'mounted' | 'ready';
  /** Milliseconds; long on purpose. */
  readonly deadlineMs?: number;
}

/** See entries-daemon.ts. */
export interface TestedSession {
  /** Whether the kernel resends what a dead server did not answer; by default as Linux does from 6.9 on. */
  readonly resend?: boolean;
  /** For fuse-native: how long its process serves readers without a server. */
  readonly aloneMs?: number;
  /** For fuse-native: how long the kernel may answer from its cache. */
  readonly cacheSeconds?: string;
}

const entriesDaemon = join(repository, 'dist/test/support/entries-daemon.js');

export const cli = process.env.DAGMOUNT_TEST_CLI ?? join(repository, 'dist/bundle/cli/main.js');

function reasonAgainstMounting(): string | false {
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse here';
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
  } catch (error) {
    return `/dev/fuse cannot be opened by this user (${String(error)})`;
  }
  if (process.getuid?.() === 0) return mountCallImpossible;
  if (!['/usr/bin/fusermount3', '/bin/fusermount3'].some((path) => existsSync(path))) {
    return 'not root, and there is no fusermount3 (Debian: apt-get install fuse3)';
  }
  const isBarred = /^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'latin1'));
  if (isBarred || !maySysAdmin('CapBnd')) return 'not root, and fusermount3 cannot become root here';
  return false;
}

/** The reason, for a test's `skip`, why no mount is possible here; false if one is. */
export const mountImpossible: string | false = reasonAgainstMounting();

/**
 * This process's environment without settings that the daemon would use: credentials, proxies, certificate authorities
 * (which cost each start of Node.js 60 ms of CPU) and dagmount's own settings.
 */
export function cleanEnvironment(added: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(AWS_|DAGMOUNT_|NODE_TEST|NODE_EXTRA_CA_CERTS$|LD_PRELOAD$)/.test(name) &&
      !/^(https?|no|all)_proxy$/i.test(name),
  );
  const run = process.env.DAGMOUNT_TEST_RUN;
  return {
    ...Object.fromEntries(kept),
    // scripts/test recognises its own processes by this variable.
    ...(run === undefined ? {} : { DAGMOUNT_TEST_RUN: run }),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_REGION: 'us-east-1',
    ...added,
  };
}

export interface Commanded extends ChildExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a subcommand, and waits for its end. */
export async function dagmount(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  deadlineMs = 150_000,
): Promise<Commanded> {
  const child = startChild(process.execPath, [cli, ...args], { env: cleanEnvironment(env) });
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const exit = await child.exit;
  clearTimeout(timer);
  return { ...exit, stdout: child.stdout(), stderr: child.stderr() };
}

export function parseLog(text: string): readonly LogLine[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return []; // The last line may be incomplete.
    }
  });
}

function declared(line: LogLine): LogLine {
  const { event, level: _level, time: _time, msg: _msg, ...fields } = line;
  assertDeclared(event, fields);
  return line;
}

/** Mounts with the real command and waits; the end of the test removes everything. */
export async function startMount(test: Cleanup, options: MountOptions): Promise<Mount> {
  const mount = await launchMount(test, options);
  const deadline = options.deadlineMs ?? 150_000;
  await mount.logged(options.until ?? 'ready', deadline);
  await waitFor(`a mount at ${mount.target}`, () => mountsAt(mount.target, mount.pid).length > 0, deadline);
  return mount;
}

/** The same, without waiting for the mount. */
export async function launchMount(test: Cleanup, options: MountOptions): Promise<Mount> {
  const directory = await temporaryDirectory(test);
  const target = options.target ?? join(directory, 'dags');
  const cacheDirectory = options.cacheDirectory ?? join(directory, 'cache');
  if (options.target === undefined) await mkdir(target);
  const [program, ...before] = [...(options.wrapper ?? []), options.node ?? process.execPath];
  const place = await placeOf(options, directory);
  const session = environmentOf(options.session);
  const isTested = Object.keys(session).length > 0;
  const child = startChild(
    program as string,
    [
      ...before,
      options.cli ?? (isTested ? entriesDaemon : cli),
      'mount',
      ...place.source,
      target,
      '--cache-dir',
      cacheDirectory,
      '--log-format',
      'json',
      ...(options.standby === true ? [] : ['--no-standby']),
      ...place.args,
      ...(options.args ?? []),
    ],
    {
      env: cleanEnvironment({
        XDG_RUNTIME_DIR: directory,
        DAGMOUNT_DRIVER: testedDriver,
        ...session,
        ...options.env,
      }),
    },
  );
  const mount = handle(child, target, cacheDirectory, { XDG_RUNTIME_DIR: directory });
  defer(test, () => end(mount, child));
  return mount;
}

/** The source to mount. If the tested shape has several trees, the source belongs to one of two. */
async function placeOf(
  { source }: MountOptions,
  directory: string,
): Promise<{ readonly source: readonly string[]; readonly args: readonly string[] }> {
  if (source === undefined) return { source: [], args: [] };
  if (!testsTrees) return { source: [source], args: [] };
  const [bucket] = /^s3:\/\/[^/]+/.exec(source) ?? [source];
  const file = join(directory, 'trees.yaml');
  const beside = `{path: ${BESIDE}, source: ${bucket}/dagmount-beside, allow-empty: true}`;
  await writeFile(file, `trees:\n- {path: ${TREE}, source: ${JSON.stringify(source)}}\n- ${beside}\n`);
  return { source: [], args: ['--config', file] };
}

function environmentOf({ resend, aloneMs, cacheSeconds }: TestedSession = {}): Record<string, string> {
  return {
    ...(resend === false && { TEST_WITHOUT_RESEND: '1' }),
    ...(aloneMs !== undefined && { TEST_ALONE_MS: String(aloneMs) }),
    ...(cacheSeconds !== undefined && { TEST_CACHE_SECONDS: cacheSeconds }),
  };
}

function handle(
  child: Child,
  target: string,
  cacheDirectory: string,
  environment: Mount['environment'],
): Mount {
  let ended = false;
  const mark = (): void => {
    ended = true;
  };
  child.exit.then(mark, mark);
  // Tests call this again and again while they wait: it parses the log only if there is more.
  let text = '';
  let lines: readonly LogLine[] = [];
  const log = (): readonly LogLine[] => {
    const now = child.stderr();
    if (now !== text) {
      text = now;
      lines = parseLog(now)
        .map(declared)
        .filter(({ tree }) => tree !== BESIDE);
    }
    return lines;
  };
  const mount: Mount = {
    target,
    tree: target,
    cacheDirectory,
    pid: child.pid,
    environment,
    exit: child.exit,
    stdout: child.stdout,
    stderr: child.stderr,
    log,
    socket: () => String(log().find(({ event }) => event === 'listening')?.socket),
    logged: (event, deadlineMs = 60_000) =>
      waitFor(
        `the daemon to log "${event}"`,
        () => {
          const found = log().find((line) => line.event === event);
          if (found === undefined && ended) {
            throw new Error(`the daemon exited without logging "${event}": ${child.stderr().slice(-4_000)}`);
          }
          return found;
        },
        deadlineMs,
      ),
    serverPid: () => waitFor('a server', () => serverOf(child.pid)),
    kill: (signal) => killBoth(child, signal),
    stop: async (signal = 'SIGTERM') => {
      killBoth(child, signal);
      const exit = await Promise.race([child.exit, delay(30_000, undefined, { ref: false })]);
      if (exit !== undefined) return exit;
      await force(mount, child);
      throw new Error(`the daemon did not end within 30 s of ${signal}: ${child.stderr().slice(-4_000)}`);
    },
  };
  return mount;
}

function killBoth(child: Child, signal: NodeJS.Signals): void {
  if (signal === 'SIGKILL') killBoth(child, 'SIGSTOP');
  const server = ['SIGKILL', 'SIGSTOP', 'SIGCONT'].includes(signal) ? serverOf(child.pid) : undefined;
  // Stop the supervisor first, so that it starts no successor for the killed server.
  if (signal === 'SIGSTOP') child.kill(signal);
  if (server !== undefined && server !== child.pid) process.kill(server, signal);
  if (signal !== 'SIGSTOP') child.kill(signal);
}

/** The status from the control socket, without a new process for each question. */
export async function statusOf(mount: Pick<Mount, 'socket'>): Promise<Status> {
  return await controlOf(mount).ask<Status>('/v1/status');
}

/** A client that asks about the tested tree. */
export function controlOf(mount: Pick<Mount, 'socket'>): ControlClient {
  const client = new ControlClient(mount.socket());
  return testsTrees ? client.inTree(TREE) : client;
}

/** Arguments with which a command asks about that tree. */
export function asking(mount: Pick<Mount, 'socket'>): readonly string[] {
  return ['--socket', mount.socket(), ...(testsTrees ? ['--tree', TREE] : [])];
}

async function end(mount: Mount, child: Child): Promise<void> {
  if (child.process.exitCode === null && child.process.signalCode === null) await mount.stop();
  await force(mount, child);
}

/** Removes everything, also a connection on which readers still wait for a dead session. */
async function force(mount: Mount, child: Child): Promise<void> {
  killBoth(child, 'SIGKILL');
  for (const { minor, type } of mountsAt(mount.target)) {
    if (!type.startsWith('fuse')) continue;
    await abortConnection(minor);
    await unmountLazily(mount.target).catch((error: unknown) => {
      // The unmount may fail because this mount has ended by itself meanwhile; throw only if it still exists.
      if (mountsAt(mount.target).some((other) => other.minor === minor)) throw error;
    });
  }
  await child.exit.catch(() => undefined);
}

export async function unmountLazily(target: string): Promise<void> {
  if (process.getuid?.() === 0) await run('umount', ['-l', target]);
  else await run('fusermount3', ['-u', '-z', target]);
}

async function abortConnection(minor: number): Promise<void> {
  const directory = '/sys/fs/fuse/connections';
  if (process.getuid?.() !== 0) return;
  if (!existsSync(join(directory, String(minor)))) {
    await run('mount', ['-t', 'fusectl', 'fusectl', directory]).catch(() => undefined);
  }
  const abort = join(directory, String(minor), 'abort');
  if (existsSync(abort)) writeFileSync(abort, '1');
}
