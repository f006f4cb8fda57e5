import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { systemCode } from '../base/system-error.ts';
import { preparePrivateDirectory } from '../cache/private-directory.ts';
import { ConfigError } from '../config/config-error.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { isLeft, readMountStates } from '../host/mount-state.ts';
import { DAGMOUNT_TYPE, isMountOf, type Mount, readMounts, topMountAt } from '../host/mountinfo.ts';
import { nodeCommand } from '../host/node-command.ts';
import { realTarget } from '../host/real-target.ts';
import { prepareRuntimeDirectory } from '../host/runtime-paths.ts';
import { MountError } from '../session/mount-error.ts';

/** How long the daemon of an existing mount may take to answer, in milliseconds. */
const PROBE_MS = 5_000;

/**
 * Checks that a tree can be mounted at a path whose symbolic links are resolved. Throws MountError if it
 * cannot. Never accesses the mounted tree from this process, because a mount with a hung daemon would block
 * it.
 *
 * @param mounted the mount that is at the path now, if any
 * @param isLeft returns whether the mount is known to be a dagmount whose server died, but which still
 * answers for a while
 * @returns `stale`: whether the mount is a dagmount whose daemon died, which the new mount is to replace
 */
export async function checkMountPoint(
  path: string,
  source: string,
  mounted: Mount | undefined,
  isLeft: () => boolean = () => false,
): Promise<{ readonly stale: boolean }> {
  if (mounted === undefined) {
    await requireEmptyDirectory(path);
    return { stale: false };
  }
  if (mounted.fsType === DAGMOUNT_TYPE && (isLeft() || (await probe(path)) === 'dead')) {
    return { stale: true };
  }
  if (isMountOf(mounted, source)) {
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

/**
 * Does the same check for the mount that is at the target now. Recognizes a mount that a dead server of this
 * user left.
 */
export async function isStale(config: MountConfig, runtimeDirectory: string): Promise<boolean> {
  const { source, target } = config;
  const mounted = topMountAt(readMounts(), target);
  const { stale } = await checkMountPoint(target, source, mounted, () =>
    isLeft(readMountStates(runtimeDirectory, process.geteuid?.() ?? 0), config, process.ppid),
  );
  return stale;
}

/**
 * Creates the directories that a server needs. If one of them cannot be used, throws the reason before any
 * directory is used.
 */
export async function prepareDirectories(
  config: MountConfig,
  runtimeDirectory: string,
  cacheDirectory: string,
): Promise<void> {
  requireApart(config);
  prepareRuntimeDirectory(runtimeDirectory, process.geteuid?.() ?? 0);
  await preparePrivateDirectory(cacheDirectory, process.geteuid?.());
}

/**
 * Throws ConfigError if the cache directory lies in the mount point. The mount would hide such a cache, and
 * the server would access its cache through its own mount.
 */
function requireApart({ cacheDir, target }: MountConfig): void {
  const cache = realTarget(cacheDir, '/');
  if (cache !== target && !cache.startsWith(`${target}/`)) return;
  throw new ConfigError(
    'bad-value',
    `cache-dir cannot be ${cacheDir}: it lies in the mount point ${target}.`,
    'Name a directory outside of it with --cache-dir.',
  );
}

async function requireEmptyDirectory(path: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(path);
  } catch (error) {
    const code = systemCode(error) ?? 'unknown error';
    if (code === 'ENOENT') {
      throw new MountError('target-missing', `${path} does not exist.`, `Make it: mkdir -p ${path}`, error);
    }
    throw new MountError(
      'target-not-directory',
      code === 'ENOTDIR' ? `${path} is not a directory.` : `${path} cannot be read as a directory (${code}).`,
      'Name an existing, readable, empty directory.',
      error,
    );
  }
  if (names.length === 0) return;
  throw new MountError(
    'target-not-empty',
    `${path} is not empty: it holds ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}.`,
    'Mount on an empty directory: what is in this one would be hidden.',
  );
}

/**
 * Returns whether the daemon of a mount answers. A child process calls statvfs, which always asks the daemon.
 * The child process is killed and abandoned if it gets no answer.
 */
function probe(path: string): Promise<'alive' | 'dead' | 'silent'> {
  const script =
    'process.on("SIGUSR1",()=>{});' +
    'try{require("fs").statfsSync(process.argv[1])}catch(e){process.exit(e.code==="ENOTCONN"?3:0)}';
  const [program, ...options] = nodeCommand();
  const child = spawn(program, [...options, '-e', script, path], { stdio: 'ignore' });
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
