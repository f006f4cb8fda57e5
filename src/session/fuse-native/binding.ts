import { createRequire } from 'node:module';
import { libfuseErrno } from '../errno.ts';
import { MountError } from '../mount-error.ts';

/** The fields of a fuse-native attribute block. Times in whole milliseconds since the epoch. */
export interface FuseStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly dev: number;
  readonly nlink: number;
  /** Below 2^32. */
  readonly ino: number;
  readonly rdev: number;
  readonly blksize: number;
  readonly blocks: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

export interface FuseStatfs {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly favail: number;
  readonly namemax: number;
}

/** The operations that fuse-native calls. Paths begin with a slash; an error is a negative errno. */
export interface FuseOperations {
  getattr(path: string, reply: (error: number, stat?: FuseStat) => void): void;
  readdir(
    path: string,
    reply: (error: number, names?: readonly string[], stats?: readonly FuseStat[]) => void,
  ): void;
  open(path: string, flags: number, reply: (error: number, handle?: number) => void): void;
  /**
   * `buffer` is memory of libfuse: do not access it after the call of `reply`. `count` is the number of
   * bytes, or a negative errno.
   */
  read(
    path: string,
    handle: number,
    buffer: Buffer,
    length: number,
    position: number,
    reply: (count: number) => void,
  ): void;
  release(path: string, handle: number, reply: (error: number) => void): void;
  statfs(path: string, reply: (error: number, statfs?: FuseStatfs) => void): void;
  getxattr(
    path: string,
    name: string,
    position: number,
    reply: (error: number, value?: Buffer | null) => void,
  ): void;
  listxattr(path: string, reply: (error: number, names?: readonly string[]) => void): void;
}

/**
 * The options that dagmount sets. `fsname` also carries options for which fuse-native has no field
 * (mount-options.ts).
 */
export interface FuseOptions {
  readonly fsname: string;
  readonly subtype: string;
  readonly allowOther: boolean;
  readonly defaultPermissions: boolean;
  /** In seconds, as text, because fuse-native ignores the number 0. */
  readonly entryTimeout: string;
  readonly attrTimeout: string;
  /** With false, fuse-native waits for each request without a limit. dagmount has its own deadlines. */
  readonly timeout: false;
}

export interface FuseMount {
  /** Resolves after the kernel's INIT. */
  open(): Promise<void>;
}

interface NativeFuse {
  open(done: (error: Error | null | undefined) => void): void;
  _op_getxattr(
    signal: (result: number, buffer: ArrayBufferLike) => void,
    path: string,
    name: string,
    buffer: Buffer,
  ): void;
  _op_listxattr(
    signal: (result: number, buffer: ArrayBufferLike) => void,
    path: string,
    buffer: Buffer,
  ): void;
}

export type NativeFuseClass = new (
  target: string,
  operations: FuseOperations,
  options: FuseOptions,
) => NativeFuse;

/**
 * Prepares a mount by fuse-native. This must run on a main thread: fuse-native's addon answers only on the
 * main thread's loop (uv_default_loop), and in a worker it would crash.
 */
export function mountWith(
  Fuse: NativeFuseClass,
  target: string,
  operations: FuseOperations,
  options: FuseOptions,
): FuseMount {
  const fuse = new (boundsChecked(Fuse))(target, operations, options);
  return {
    open: () =>
      new Promise((resolve, reject) => {
        fuse.open((error) => (error ? reject(error) : resolve()));
      }),
  };
}

/**
 * Returns a class that checks the lengths of extended attributes. fuse-native 2.2.6 itself returns the length
 * of a value even if that exceeds the requested size, and libfuse then sends that many bytes, from beyond the
 * end of its buffer. A request for 0 bytes asks for the length.
 */
function boundsChecked(Fuse: NativeFuseClass): NativeFuseClass {
  return class extends Fuse {
    readonly #operations: FuseOperations;

    constructor(target: string, operations: FuseOperations, options: FuseOptions) {
      super(target, operations, options);
      this.#operations = operations;
    }

    override _op_getxattr(
      signal: (result: number, buffer: ArrayBufferLike) => void,
      path: string,
      name: string,
      buffer: Buffer,
    ): void {
      this.#operations.getxattr(path, name, 0, (error, value) =>
        signal(filled(buffer, error, value), buffer.buffer),
      );
    }

    override _op_listxattr(
      signal: (result: number, buffer: ArrayBufferLike) => void,
      path: string,
      buffer: Buffer,
    ): void {
      this.#operations.listxattr(path, (error, names = []) => {
        const list = Buffer.from(names.map((name) => `${name}\0`).join(''));
        signal(filled(buffer, error, list), buffer.buffer);
      });
    }
  };

  function filled(buffer: Buffer, error: number, value: Buffer | null | undefined): number {
    if (error !== 0) return error;
    if (value === null || value === undefined) return libfuseErrno('no-attribute');
    if (buffer.length === 0) return value.length;
    if (value.length > buffer.length) return libfuseErrno('attribute-too-long');
    value.copy(buffer);
    return value.length;
  }
}

/** Loads fuse-native and libfuse. Throws MountError `no-fuse-native`, which says what to install. */
export function loadFuseNative(): NativeFuseClass {
  try {
    return createRequire(import.meta.url)('fuse-native') as NativeFuseClass;
  } catch (error) {
    throw new MountError(
      'no-fuse-native',
      `fuse-native could not be loaded (${firstLine(error)}).`,
      hintFor(error),
      error,
    );
  }
}

const LIBFUSE =
  'Install libfuse 2 (Debian and Ubuntu: apt-get install libfuse2, newer releases libfuse2t64; Fedora: dnf install fuse-libs; Alpine: apk add fuse).';
const MACFUSE =
  'Install macFUSE (https://macfuse.io) and the command line tools of Xcode, then run npm rebuild fuse-native. On Apple silicon there is no binary of it. None of this was tried on macOS.';
const COMPILE =
  'There is a binary for x64 and glibc alone: install libfuse 2, a C++ compiler, make and Python 3, then run npm rebuild fuse-native.';

function hintFor(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const needed = process.platform === 'darwin' ? MACFUSE : LIBFUSE;
  // npm removes an optional package whose install script fails, and without libfuse the script of fuse-native
  // fails.
  if (code === 'MODULE_NOT_FOUND') {
    return `${needed} Then install dagmount again, without --omit=optional: npm leaves fuse-native away where it does not load.`;
  }
  if (process.platform === 'darwin') return MACFUSE;
  return code === 'ERR_DLOPEN_FAILED' ? LIBFUSE : COMPILE;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
