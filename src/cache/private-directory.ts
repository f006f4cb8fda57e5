import { lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { persistedFiles } from '../base/persisted-files.ts';
import { isSystemError } from '../base/system-error.ts';
import { unsafeAncestor } from '../host/safe-directory.ts';
import { CacheError } from './cache-error.ts';

const DIRECTORY_MODE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/** Returns the directory of one mount below --cache-dir. `v1` is the version of the directory's layout. */
export function mountDirectory(cacheDirectory: string, mountId: string): string {
  return `${cacheDirectory}/v1/${mountId}`;
}

/**
 * Creates a mount's directory, its missing parents and `blobs`, all 0700. Airflow executes the cached
 * content, and checksums do not protect it, because an attacker could write checksums too. So the directory
 * and its parent must belong to this user alone, and no other user may be able to replace them. Rejects with
 * CacheError.
 */
export async function preparePrivateDirectory(directory: string, uid: number | undefined): Promise<void> {
  try {
    requireSafePlace(directory, uid);
    const blobs = `${directory}/${persistedFiles.blobs.name}`;
    await mkdir(blobs, { recursive: true, mode: DIRECTORY_MODE });
    // Checks again, because directories that were missing exist now: created here, or concurrently by another
    // process.
    requireSafePlace(directory, uid);
    for (const path of [dirname(directory), directory, blobs]) await requirePrivate(path, uid);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CacheError(
      'cache-unwritable',
      `The cache directory ${directory} cannot be made: ${error.code}.`,
      'Make it writable for this user, or name another one with --cache-dir.',
      error,
    );
  }
}

async function requirePrivate(path: string, uid: number | undefined): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) {
    throw unsafe(`${path} is no directory.`, 'Remove it, or name another place with --cache-dir.');
  }
  if (uid !== undefined && stats.uid !== uid) {
    throw unsafe(
      `The cache directory ${path} belongs to another user (uid ${stats.uid}, this process has ${uid}).`,
      'Run as that user, or name another place with --cache-dir.',
    );
  }
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw unsafe(
      `Others may write to the cache directory ${path} (mode ${(stats.mode & 0o7777).toString(8)}).`,
      'Remove it, or remove that permission with chmod -R go-w if no other user has used it.',
    );
  }
}

function requireSafePlace(directory: string, uid: number | undefined): void {
  const unsafeDirectory = uid === undefined ? undefined : unsafeAncestor(dirname(directory), { uid });
  if (unsafeDirectory === undefined) return;
  const { path, reason, flaw } = unsafeDirectory;
  throw unsafe(
    `The cache directory ${directory} could be replaced by others: ${path} ${reason}.`,
    flaw === 'mode'
      ? `Remove that permission before dagmount starts (chmod go-w ${path}), or set the sticky bit there ` +
          `(chmod +t ${path}); or name a directory that only this user and root can write to, with --cache-dir.`
      : 'Name a directory with --cache-dir that lies in directories of this user, or of root, alone.',
  );
}

function unsafe(message: string, hint: string): CacheError {
  return new CacheError('cache-unsafe', message, hint);
}
