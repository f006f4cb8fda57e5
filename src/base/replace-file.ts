import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Only this user reads it. */
const FILE_MODE = 0o600;

/**
 * Replaces a small file atomically: a reader finds the old content or the new. It is not synced: after a crash of the
 * host the file may have the old content, or none. If it throws, it leaves no new file.
 *
 * @param beside where the content is written first; a file that a killed process left there is overwritten. If several
 *   processes write the same file, each needs a name of its own.
 */
export function replaceFile(path: string, content: string, beside = `${path}.next`): void {
  try {
    writeFileSync(beside, content, { mode: FILE_MODE });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
