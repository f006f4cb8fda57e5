import { spawn } from 'node:child_process';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MountError } from './session/mount-error.ts';

/** The part of a line of /proc/self/mountinfo that is looked at here. */
export interface MountedAt {
  readonly mountPoint: string;
  readonly fsType: string;
  readonly source: string;
}

export interface MountPoint {
  /** Without symbolic links. */
  readonly path: string;
  /** A dagmount whose daemon is gone is mounted there. */
  readonly stale: boolean;
}

/** How long a mount that is there may take to say whether anybody serves it. */
const PROBE_MS = 5_000;
export const FILESYSTEM_TYPE = 'fuse.dagmount';

/**
 * Checks that a tree can be mounted at `target`. Never looks into what is mounted there from this process: a
 * mount whose daemon hangs would take the process with it.
 */
export async function checkMountPoint(
  target: string,
  source: string,
  readMounts: () => readonly MountedAt[],
): Promise<MountPoint> {
  const path = await resolveTarget(target, readMounts);
  const mounted = readMounts().findLast((mount) => mount.mountPoint === path);
  if (mounted === undefined) {
    await requireEmptyDirectory(path);
    return { path, stale: false };
  }
  if (mounted.fsType === FILESYSTEM_TYPE && (await probe(path)) === 'dead') return { path, stale: true };
  if (mounted.fsType === FILESYSTEM_TYPE && mounted.source === source) {
    throw new MountError(
      'already-running',
      `${source} is already mounted at ${path}.`,
      `Unmount it first: dagmount unmount ${path}`,
    );
  }
  throw new MountError(
    'target-mounted',
    `${mounted.source} (${mounted.fsType}) is mounted at ${path}.`,
    'Unmount it first, or choose another directory.',
  );
}

/** Without symbolic links, but for the last component where something is mounted: that is left alone. */
async function resolveTarget(target: string, readMounts: () => readonly MountedAt[]): Promise<string> {
  try {
    const path = join(await realpath(dirname(target)), basename(target));
    if (readMounts().some((mount) => mount.mountPoint === path)) return path;
    return (await lstat(path)).isSymbolicLink() ? await realpath(path) : path;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') {
      throw new MountError(
        'target-missing',
        `${target} does not exist.`,
        `Make it: mkdir -p ${target}`,
        error,
      );
    }
    throw notADirectory(target, error);
  }
}

async function requireEmptyDirectory(path: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(path);
  } catch (error) {
    throw notADirectory(path, error);
  }
  if (names.length === 0) return;
  throw new MountError(
    'target-not-empty',
    `${path} is not empty: it holds ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}.`,
    'Mount on an empty directory: what is in this one would be hidden.',
  );
}

function notADirectory(path: string, cause: unknown): MountError {
  return new MountError(
    'target-not-directory',
    `${path} cannot be used as a directory (${codeOf(cause) ?? 'unknown error'}).`,
    'Name an existing, readable, empty directory.',
    cause,
  );
}

/** statvfs always asks the daemon: a child does it, and is left behind where it gets no answer. */
function probe(path: string): Promise<'alive' | 'dead' | 'silent'> {
  const script =
    'try{require("fs").statfsSync(process.argv[1])}catch(e){process.exit(e.code==="ENOTCONN"?3:0)}';
  const child = spawn(process.execPath, ['-e', script, path], { stdio: 'ignore' });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      resolve('silent');
    }, PROBE_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 3 ? 'dead' : 'alive');
    });
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
