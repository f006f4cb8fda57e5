import { createRequire } from 'node:module';
import build from 'node-gyp-build';
import { ownPackage } from '../../base/own-package.ts';
import { MountError } from '../mount-error.ts';

/** One session's channel to the device; see native/channel.c. */
export interface NativeChannel {
  /** Writes the first `length` bytes of the reply buffer. Returns 0 or an errno. */
  reply(length: number): number;
  /**
   * Gives whole messages to the notify thread, which writes them one after another and fills `results` with 0
   * or an errno for each message. Then onNotified is called. Keep both arrays until then.
   */
  notify(messages: Uint8Array, results: Int32Array): void;
  close(): void;
}

export interface Addon {
  /**
   * Mounts read-only and returns the fd of /dev/fuse. Errors carry the errno's name as `code`. `options` are
   * lines of `key` or `key=value`. With `beneath`, mounts under the mount that is already on the target,
   * which Linux supports from 6.5 on.
   */
  mountDirect(target: string, options: string, beneath: boolean): number;
  /**
   * Returns both ends of a Unix socket pair. With `messages`, the sockets keep message boundaries. Otherwise
   * they are a stream, through which fusermount3 sends the device's fd.
   */
  socketPair(messages: boolean): readonly [number, number];
  /** Returns the fd that arrived through a socket. Throws EPROTO if none arrived. */
  receiveFd(socket: number): number;
  unmount(target: string, detach: boolean): void;
  /**
   * Returns an fd that holds the exclusive flock(2) of the file at `path`, or the negative errno: -11 if
   * another process holds the lock.
   */
  lockFile(path: string): number;
  /**
   * Sends a message, and with it the descriptor `fd` unless that is negative. Returns 0 or the errno. Never
   * blocks.
   */
  sendFd(socket: number, message: string, fd: number): number;
  /**
   * Creates memory and returns its fd. The memory outlives this process if another process has the fd too.
   */
  createMemory(bytes: number): number;
  /** Maps the whole memory behind an fd of `createMemory`, until the process ends. */
  mapMemory(fd: number): ArrayBuffer;
  /** Gives the freed memory that malloc keeps back to the kernel. Has an effect only with glibc. */
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
      /** The first element counts the requests (IOCTL) that the transport answered by itself. */
      answered: Float64Array,
      onRequests: (count: number) => void,
      /** Called once for each call of `notify`, in the order of these calls. */
      onNotified: () => void,
      onEnd: (errno: number) => void,
    ],
  ) => NativeChannel;
}

/**
 * Loads the addon: a prebuilt binary if the package has one for this platform, otherwise the compiled one.
 */
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

/** Returns the file of the addon. Throws if there is none. */
export function addonPath(): string {
  return process.env.DAGMOUNT_ADDON ?? build.path(ownPackage().directory);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
