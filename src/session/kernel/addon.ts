import { createRequire } from 'node:module';
import build from 'node-gyp-build';
import { ownPackage } from '../../base/own-package.ts';
import { MountError } from '../mount-error.ts';

/** One session's channel to the device; see native/channel.c. */
export interface NativeChannel {
  /** Writes the first `length` bytes of the reply buffer. Returns 0 or an errno. */
  reply(length: number): number;
  /**
   * A separate thread writes whole messages one after another. It fills `results` with 0 or an errno for each, and
   * then onNotified is called. Keep both arrays until then.
   */
  notify(messages: Uint8Array, results: Int32Array): void;
  close(): void;
}

export interface Addon {
  /**
   * Mounts read-only and returns the device's fd; errors carry the errno's name as `code`. `options` are lines
   * of `key` or `key=value`; `beneath`: under what is mounted on the target, which Linux knows from 6.5 on.
   */
  mountDirect(target: string, options: string, beneath: boolean): number;
  /**
   * Both ends of a Unix socket pair: with message boundaries, or a stream through which fusermount3 sends the
   * device's fd.
   */
  socketPair(messages: boolean): readonly [number, number];
  /** The fd received through a socket; EPROTO if none arrived. */
  receiveFd(socket: number): number;
  unmount(target: string, detach: boolean): void;
  /**
   * An fd holding the exclusive flock(2) of the file at `path`, or the negative errno: -11 if another process has it.
   */
  lockFile(path: string): number;
  /** Sends a message, and a descriptor unless that is negative. Returns 0 or the errno; never blocks. */
  sendFd(socket: number, message: string, fd: number): number;
  /** The fd of memory that outlives the process if another process has the fd too. */
  createMemory(bytes: number): number;
  /** All of that memory, mapped until the process ends. */
  mapMemory(fd: number): ArrayBuffer;
  /** Gives back to the kernel what malloc keeps of freed memory. Only glibc can. */
  trimMemory(): void;
  /** Replaces this process by another program (exec), with the same pid; throws on failure. */
  becomeProgram(path: string, args: readonly string[]): void;
  readonly Channel: new (
    fd: number,
    spinNanoseconds: number,
    kept: readonly [
      requests: Uint8Array,
      lengths: Int32Array,
      reply: Uint8Array,
      /** The first element counts the requests that the transport answered by itself. */
      answered: Float64Array,
      onRequests: (count: number) => void,
      /** In the order of the calls of notify. */
      onNotified: () => void,
      onEnd: (errno: number) => void,
    ],
  ) => NativeChannel;
}

/** Loads the addon: a prebuilt binary if the package has one for this platform, otherwise the compiled one. */
export function loadAddon(): Addon {
  try {
    return createRequire(import.meta.url)(addonPath());
  } catch (error) {
    throw new MountError(
      'no-addon',
      `The kernel transport of dagmount could not be loaded (${firstLine(error)}).`,
      'Install a C compiler, make and Python 3, then run npm rebuild dagmount.',
      error,
    );
  }
}

/** The file of the addon; throws if there is none. */
export function addonPath(): string {
  return process.env.DAGMOUNT_ADDON ?? build.path(ownPackage().directory);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
