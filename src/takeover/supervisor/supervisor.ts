import { accessSync, constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addonPath, loadAddon } from '../../session/kernel/addon.ts';
import { MountError } from '../../session/mount-error.ts';

/** The file of the compiled supervisor; undefined if none can be run. */
export function supervisorProgram(): string | undefined {
  return nativeProgram('dagmount-supervisor');
}

/** The file of a compiled program beside the addon; undefined if it cannot be run. */
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

/** Makes this process the supervisor of a command, by execve: the pid stays. Returns only if that fails. */
export function becomeSupervisorOf(command: readonly string[]): void {
  const program = supervisorProgram();
  if (program === undefined) return;
  try {
    loadAddon().becomeProgram(program, command);
  } catch (error) {
    // The mount is then served without a supervisor, and its status says so.
    if (!(error instanceof MountError) && !(error instanceof Error && 'code' in error)) throw error;
  }
}

/**
 * Makes this process the holder that listens at a socket, by execve. Throws MountError without that program.
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

/** As Addon.lockFile. Throws MountError if there is no addon. */
export function lockFile(path: string): number {
  return loadAddon().lockFile(path);
}
