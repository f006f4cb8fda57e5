import { accessSync, constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addonPath, loadAddon } from '../session/kernel/addon.ts';
import { MountError } from '../session/mount-error.ts';

/** The file of the compiled supervisor, beside the addon; undefined if none can be run. */
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
    // Without an addon node-gyp-build throws an error without a code. Mounting reports what is missing.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Turns this process into the supervisor of a command, by execve: the pid stays. Returns only if there is no supervisor. */
export function becomeSupervisorOf(command: readonly string[]): void {
  const program = supervisorProgram();
  if (program === undefined) return;
  try {
    loadAddon().becomeProgram(program, command);
  } catch (error) {
    // The mount is served without a supervisor, and its status says so.
    if (!(error instanceof MountError) && !(error instanceof Error && 'code' in error)) throw error;
  }
}
