import { mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/system-error.ts';
import { type MountState, STATE_FILE } from './mount-state.ts';
import { mountRuntimeDirectory } from './runtime-paths.ts';

/**
 * Replaces the state as a whole: whoever reads sees the old or the new. `directory` is the runtime directory of all
 * mounts, prepared before.
 */
export function writeMountState(directory: string, mountId: string, state: MountState): void {
  const own = mountRuntimeDirectory(directory, mountId);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const temporary = join(own, `${STATE_FILE}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(temporary, join(own, STATE_FILE));
}

/** Takes the state away, and the directory of the mount where nothing else is in it. */
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
