import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { CacheError } from '../../cache/cache-error.ts';

const MODE = 0o600;
/** macOS: open(2) takes the lock itself. */
const O_EXLOCK = 0x20;
const HELD = 1;

/**
 * Like Addon.lockFile, without the addon: flock(1) locks a descriptor that it inherits. The lock belongs to
 * the open file, so our descriptor holds it after flock(1) has ended. The lock also excludes a server that
 * has the addon. Returns the descriptor, or the negative errno if the file cannot be opened or another
 * process has the lock. Throws CacheError if there is no flock(1).
 */
export function lockWithoutAddon(path: string, platform = process.platform): number {
  const flags = constants.O_RDWR | constants.O_CREAT;
  let fd: number;
  try {
    fd = openSync(path, platform === 'darwin' ? flags | O_EXLOCK | constants.O_NONBLOCK : flags, MODE);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return errno;
  }
  if (platform === 'darwin') return fd;
  const { error, status } = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  if (error === undefined && status === 0) return fd;
  closeSync(fd);
  if (status === HELD) return -11;
  throw new CacheError(
    'cache-unwritable',
    `The cache directory cannot be locked: there is neither the addon of dagmount nor flock(1) (${path}).`,
    'Install util-linux, or what the addon needs: dagmount doctor says it.',
    error,
  );
}
