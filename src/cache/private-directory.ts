import { lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CacheError } from './cache-error.ts';
import { isSystemError } from './system-error.ts';

const DIRECTORY_MODE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/** The directory of one mount below --cache-dir. The version is the layout's. */
export function mountDirectory(cacheDirectory: string, mountId: string): string {
  return `${cacheDirectory}/v1/${mountId}`;
}

/**
 * Makes a mount's directory, its missing parents and `blobs`, all 0700. What is cached becomes code that Airflow
 * runs, and its checksums are no proof against somebody who writes them: so the directory and the one above it must
 * be ours alone. --cache-dir itself may be shared, as the root of a volume often is.
 */
export async function preparePrivateDirectory(directory: string, uid: number | undefined): Promise<void> {
  try {
    await mkdir(`${directory}/blobs`, { recursive: true, mode: DIRECTORY_MODE });
    for (const path of [dirname(directory), directory, `${directory}/blobs`]) await requirePrivate(path, uid);
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
      'Remove it, or take that right away with chmod -R go-w if nobody else has used it.',
    );
  }
}

function unsafe(message: string, mend: string): CacheError {
  return new CacheError('cache-unsafe', message, mend);
}
