import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Only this user may read the file. */
const FILE_MODE = 0o600;

/**
 * Replaces a file atomically: a reader finds the old content or the new. Does not sync, so after a
 * crash of the host the file may have the old content, or none. If it throws, it leaves no new file.
 *
 * @param beside the file to which the content is written first. If a killed process left such a file, it is
 *   overwritten. If several processes write the same file, each of them needs another `beside`.
 */
export function replaceFile(path: string, content: string | Uint8Array, beside = `${path}.next`): void {
  try {
    writeFileSync(beside, content, { mode: FILE_MODE });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
