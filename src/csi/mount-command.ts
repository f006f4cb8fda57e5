import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { isOptionName, negationOf } from '../config/options/options.ts';
import { ControlClient } from '../control/client.ts';
import { ClientError } from '../control/client-error.ts';
import type { DriverConfig, MountOption } from './driver-config.ts';
import type { MountFiles } from './mount-files.ts';
import type { MountProcess } from './source-mounts.ts';
import type { MountRequest } from './volume.ts';
import { VolumeError, type VolumeErrorCode } from './volume-error.ts';

export interface MountCommandOptions {
  /** The program and the arguments before `mount`. */
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  readonly config: Pick<DriverConfig, 'deadlineMs' | 'holder'>;
  readonly files: Pick<MountFiles, 'makePlace' | 'openCache' | 'socketOf' | 'holdKey' | 'tokenFile'>;
  readonly node: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Detaches what is mounted at a path. */
  readonly unmount: (path: string) => Promise<void>;
  /** Receives the lines of the logs of all mounts. */
  readonly write: (line: string) => void;
}

const LOOK_MS = 100;
const LONGEST_REST = 64 * 1024;
/**
 * The part of a publish's deadline for which a mount may wait for the store. The rest is for the mount's last
 * try, which takes time, too.
 */
const STORE_SHARE = 0.5;
/** The error code for each exit code of `dagmount mount` (cli/exit-codes.ts); `failed` for any other. */
const CODES: ReadonlyMap<unknown, VolumeErrorCode> = new Map([
  [64, 'malformed'],
  [66, 'no-source'],
  [69, 'unavailable'],
  [75, 'unavailable'],
  [77, 'denied'],
  [78, 'malformed'],
]);
/**
 * Variables with credentials of the driver that the SDK would use before a pod's own token, or after that
 * token has failed. A pod that names a role must never read with the driver's credentials.
 */
const OF_DRIVER: readonly string[] = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
];
const NO_FILE = '/dev/null';
/** Matches the prefix that String(error) adds. */
const ERROR_NAME = /^\w*Error: /;

/** Runs one `dagmount mount` for each request, with a supervisor of its own. */
export class MountCommand {
  readonly #options: MountCommandOptions;

  constructor(options: MountCommandOptions) {
    this.#options = options;
  }

  start(request: MountRequest): MountProcess {
    const { command, files, unmount, write } = this.#options;
    const place = files.makePlace(request.key);
    const socket = files.socketOf(request.key);
    const [program, ...before] = command;
    const args = [...before, 'mount', request.source, place, ...this.#flags(request, socket)];
    const child = spawn(program, args, {
      env: this.#environmentOf(request),
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const failure = new MountLog((line) => write(withKey(line, request.key)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => failure.read(text));
    const closed = new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null));
      child.once('close', (code) => resolve(code));
    });
    const ended = closed.then(() => undefined);
    return {
      ready: isReady(new ControlClient(socket), closed, () => failure.error(request.source)),
      ended,
      obstacle: () => failure.obstacle,
      stop: () => {
        // If the supervisor was killed, the server has started another one. That is not a child of this
        // process, so the mount is detached instead.
        if (!child.kill('SIGTERM')) unmount(place).catch(() => undefined);
      },
      leave: () => leave(child),
    };
  }

  #flags({ key, options }: MountRequest, socket: string): readonly string[] {
    const { config, files, clock } = this.#options;
    const { deadlineMs } = config;
    return [
      ...options.flatMap(flagsOf),
      `--cache-dir=${files.openCache(key, clock.now())}`,
      `--socket=${socket}`,
      '--log-format=json',
      '--allow-other',
      `--wait-for-store=${Math.round(deadlineMs * STORE_SHARE)}ms`,
    ];
  }

  #environmentOf({ key, identity }: MountRequest): NodeJS.ProcessEnv {
    const { environment, config, files, node } = this.#options;
    const held = { DAGMOUNT_HOLD: config.holder, DAGMOUNT_HOLD_KEY: files.holdKey(key) };
    if (identity === undefined) return { ...environment, ...held };
    return {
      ...Object.fromEntries(Object.entries(environment).filter(([name]) => !OF_DRIVER.includes(name))),
      ...held,
      AWS_SHARED_CREDENTIALS_FILE: NO_FILE,
      AWS_CONFIG_FILE: NO_FILE,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ROLE_ARN: identity.role,
      AWS_WEB_IDENTITY_TOKEN_FILE: files.tokenFile(key),
      AWS_ROLE_SESSION_NAME: `dagmount-${node}`.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64),
    };
  }
}

function flagsOf({ name, values }: MountOption): readonly string[] {
  const negation = isOptionName(name) ? negationOf(name) : undefined;
  if (negation === undefined) return values.map((value) => `--${name}=${value}`);
  return [values[0] === 'true' ? `--${name}` : `--${negation}`];
}

/**
 * Makes the server prepare the takeover, and the supervisor leave the mount in place for the next supervisor.
 */
function leave(child: ChildProcess): void {
  child.kill('SIGUSR1');
}

async function isReady(
  client: ControlClient,
  closed: Promise<number | null>,
  failure: () => VolumeError,
): Promise<void> {
  const end = closed.then(() => true as const);
  for (;;) {
    if ((await Promise.race([end, delay(LOOK_MS, false as const, { ref: false })])) === true) throw failure();
    try {
      await client.ask('/v1/ready', { deadlineMs: 5_000 });
      return;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
    }
  }
}

/** Forwards the lines of a mount's log. Remembers what the mount waits for, and why it ended. */
class MountLog {
  readonly #write: (line: string) => void;
  #rest = '';
  #failed: Line | undefined;
  #waiting: Line | undefined;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LONGEST_REST);
    for (const line of lines) {
      this.#write(`${line}\n`);
      if (line.includes('"event":"failed"')) this.#failed = parsed(line);
      if (line.includes('"event":"waiting-for-store"')) this.#waiting = parsed(line);
    }
  }

  get obstacle(): string | undefined {
    const detail = this.#waiting?.detail;
    return typeof detail === 'string' ? detail.replace(ERROR_NAME, '') : undefined;
  }

  error(source: string): VolumeError {
    const { msg, exitCode } = this.#failed ?? {};
    return typeof msg === 'string'
      ? new VolumeError(CODES.get(exitCode) ?? 'failed', msg, '')
      : new VolumeError('failed', `The mount of ${source} ended.`, 'The log of the driver says why.');
  }
}

/** Adds the mount's key to a line, because all mounts write to one log. */
function withKey(line: string, key: string): string {
  return line.startsWith('{"') ? `{"mountKey":"${key}",${line.slice(1)}` : line;
}

interface Line {
  readonly msg?: unknown;
  readonly detail?: unknown;
  readonly exitCode?: unknown;
}

function parsed(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}
