import { accessSync, constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addonPath, loadAddon } from '../session/kernel/addon.ts';
import { MountError } from '../session/mount-error.ts';

/** The compiled supervisor, which lies beside the addon; undefined where there is none that can be run. */
export function supervisorProgram(): string | undefined {
  try {
    const addon = addonPath();
    // A prebuilt one is named after its C library, as the addon is: node.napi.glibc.node.
    const libc = /^node\.napi\.(glibc|musl)\.node$/.exec(basename(addon))?.[1];
    const name = libc === undefined ? 'dagmount-supervisor' : `dagmount-supervisor.${libc}`;
    const program = join(dirname(addon), name);
    accessSync(program, constants.X_OK);
    return program;
  } catch (error) {
    // Where there is no addon, node-gyp-build says so by an error without a code; mounting says what is missing.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** This process becomes the supervisor of a command, under its own id. Returns only where there is none. */
export function becomeSupervisorOf(command: readonly string[]): void {
  const program = supervisorProgram();
  if (program === undefined) return;
  try {
    loadAddon().becomeProgram(program, command);
  } catch (error) {
    // Served without one, the mount says so in its status.
    if (!(error instanceof MountError) && !(error instanceof Error && 'code' in error)) throw error;
  }
}
