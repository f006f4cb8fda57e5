import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../base/replace-file.ts';
import { systemCode } from '../base/system-error.ts';
import { type MountState, STATE_FILE } from './mount-state.ts';
import { mountRuntimeDirectory } from './runtime-paths.ts';

/** Writes or replaces the state file. `directory` is the existing runtime directory of all mounts. */
export function writeMountState(directory: string, mountId: string, state: MountState): void {
  const own = mountRuntimeDirectory(directory, mountId);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const path = join(own, STATE_FILE);
  // The temporary file has this process's pid in its name: the server that hands over may write, too.
  replaceFile(path, `${JSON.stringify(state)}\n`, `${path}.${process.pid}`);
}

/** Removes the state, and the mount's directory if it is then empty. */
export function removeMountState(directory: string, mountId: string): void {
  const own = mountRuntimeDirectory(directory, mountId);
  rmSync(join(own, STATE_FILE), { force: true });
  try {
    rmdirSync(own);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
