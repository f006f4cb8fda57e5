import { mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/system-error.ts';
import { type MountState, STATE_FILE } from './mount-state.ts';
import { mountRuntimeDirectory } from './runtime-paths.ts';

/**
 * Replaces the state atomically: readers see the old or the new one. `directory` is the existing runtime directory of
 * all mounts.
 */
export function writeMountState(directory: string, mountId: string, state: MountState): void {
  const own = mountRuntimeDirectory(directory, mountId);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const temporary = join(own, `${STATE_FILE}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(temporary, join(own, STATE_FILE));
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
