import { accessSync, constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addonPath, loadAddon } from '../../session/kernel/addon.ts';
import { MountError } from '../../session/mount-error.ts';

/** Returns the path of the compiled supervisor; undefined if it is missing or cannot be run. */
export function supervisorProgram(): string | undefined {
  return nativeProgram('dagmount-supervisor');
}

/**
 * Returns the path of a compiled program, which is in the directory of the addon; undefined if the program is
 * missing or cannot be run.
 */
function nativeProgram(name: 'dagmount-supervisor' | 'dagmount-holder'): string | undefined {
  try {
    const addon = addonPath();
    // The name of a prebuilt program ends with its C library, as in the addon's name: node.napi.glibc.node.
    const libc = /^node\.napi\.(glibc|musl)\.node$/.exec(basename(addon))?.[1];
    const program = join(dirname(addon), libc === undefined ? name : `${name}.${libc}`);
    accessSync(program, constants.X_OK);
    return program;
  } catch (error) {
    // Without an addon, node-gyp-build throws an error without a code. Mounting reports what is missing.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/**
 * Replaces this process by the supervisor (execve(2), so the pid stays), which starts `command` as the
 * server. Returns only if there is no supervisor, or if it cannot be run.
 */
export function becomeSupervisorOf(command: readonly string[]): void {
  const program = supervisorProgram();
  if (program === undefined) return;
  try {
    loadAddon().becomeProgram(program, command);
  } catch (error) {
    // This process then serves the mount without a supervisor, and `dagmount status` says so.
    if (!(error instanceof MountError) && !(error instanceof Error && 'code' in error)) throw error;
  }
}

/**
 * Replaces this process by the holder (execve(2)), a process that keeps the descriptors of mounts for clients
 * of `socket`. Throws MountError if the program of the holder is missing.
 */
export function becomeHolder(socket: string): never {
  const program = nativeProgram('dagmount-holder');
  if (program !== undefined) loadAddon().becomeProgram(program, [socket]);
  throw new MountError(
    'no-addon',
    'The program of the holder is missing.',
    'Install a C compiler, make and Python 3, then run npm rebuild dagmount.',
  );
}

/**
 * Returns an fd that holds the exclusive flock(2) of the file at `path`, or the negative errno. Throws
 * MountError if there is no addon.
 */
export function lockFile(path: string): number {
  return loadAddon().lockFile(path);
}
