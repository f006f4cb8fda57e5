import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { close, constants, fstat, open, read } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { inOrder } from '../base/in-order.ts';
import { printableName } from '../base/printable.ts';
import { isSystemError } from '../base/system-error.ts';
import { isShowable, MOST_FILES, type ReleasedContent } from '../release/index.ts';
import { DeployError } from './deploy-error.ts';

/** A file to be deployed: its properties, and the path from which it is read. */
export interface SourceFile extends ReleasedContent {
  readonly source: string;
}

/** Names that no release contains, so that a tree has the id that airflow-manifest-bundle 0.3 gives it. */
const LEFT_OUT_DIRECTORIES: ReadonlySet<string> = new Set(['.git', '__pycache__']);
const LEFT_OUT_FILES: ReadonlySet<string> = new Set(['.git', '.airflow-bundle-manifest.json']);

/** The largest file that can be deployed: a content is sent in one request, from memory. */
const LARGEST_FILE_BYTES = 1024 ** 3;
const READ_BYTES = 1024 * 1024;
/**
 * How many files are read at a time. Each read takes five turns of libuv's thread pool. If files were read
 * one by one, its four threads would be mostly idle.
 */
export const READING = { concurrency: 16, ahead: 64 } as const;

/**
 * Returns whether a file or directory of this name is never deployed. A file named just `.pyc` is deployed.
 */
export function isLeftOut(name: string, isDirectory: boolean): boolean {
  if (isDirectory) return LEFT_OUT_DIRECTORIES.has(name);
  return LEFT_OUT_FILES.has(name) || (name.endsWith('.pyc') && name !== '.pyc');
}

export interface CollectOptions {
  /** Whether the filters of the project show this path. */
  readonly shows: (path: string) => boolean;
  /**
   * Whether the filters exclude a directory with everything below it. Such a directory need not be readable.
   */
  readonly excludes: (directory: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Reads all files below a directory. Their paths are relative to the directory. Follows a symbolic link only
 * to a file below the same directory, and deploys the content of that file in place of the link: a file
 * elsewhere was not reviewed.
 *
 * @throws {DeployError} `unusable-source`, which names the path
 */
export async function collectDirectory(
  directory: string,
  options: CollectOptions,
): Promise<readonly SourceFile[]> {
  const root = await readable(directory, realpath(directory));
  const found: { readonly source: string; readonly path: string; readonly isLink: boolean }[] = [];
  const walk = async (folder: string): Promise<void> => {
    options.signal.throwIfAborted();
    // Reads the names as bytes: a name that is not UTF-8 would be decoded to a name that does not exist.
    const below = relative(root, folder).split(sep).join('/');
    const reading = readdir(folder, { withFileTypes: true, encoding: 'buffer' });
    const entries = await readable(below === '' ? directory : below, reading).catch((error: unknown) => {
      if (error instanceof DeployError && options.excludes(`${below}/`)) return [];
      throw error;
    });
    for (const entry of entries) {
      const name = entry.name.toString();
      const source = join(folder, name);
      const path = relative(root, source).split(sep).join('/');
      if (isLeftOut(name, entry.isDirectory())) continue;
      if (entry.isDirectory()) {
        requireUtf8(entry.name, path);
        await walk(source);
      } else if (options.shows(path)) {
        requireUtf8(entry.name, path);
        found.push({ source, path, isLink: entry.isSymbolicLink() });
        if (found.length > MOST_FILES) throw unusable(directory, `it has more than ${MOST_FILES} files`);
      }
    }
  };
  await walk(root);
  const files: SourceFile[] = [];
  const read = async ({ source, path, isLink }: (typeof found)[number]): Promise<SourceFile> => {
    if (isLink) await requireInside(root, source, path);
    return readSource(source, path);
  };
  for await (const file of inOrder(found, read, { ...READING, signal: options.signal })) files.push(file);
  return files;
}

function requireUtf8(name: Uint8Array, path: string): void {
  if (!isUtf8(name)) throw unusable(path, 'its name is not UTF-8', 'Rename it.');
}

/** Reads one named file. Its path in the tree is its name, unless another path is given. */
export async function collectFile(file: string, path: string = basename(file)): Promise<SourceFile> {
  if ((await readable(file, lstat(file))).isSymbolicLink()) {
    throw unusable(file, 'it is a symbolic link', 'Name the file that it leads to.');
  }
  if (isLeftOutPath(path)) {
    throw unusable(path, 'no release has such a path', 'Releases leave out .git, __pycache__ and *.pyc.');
  }
  return readSource(file, path);
}

async function requireInside(root: string, source: string, path: string): Promise<void> {
  const target = await realpath(source).catch(() => undefined);
  const inside =
    target?.startsWith(root + sep) === true && !relative(root, target).split(sep).includes('.git');
  if (inside && (await readable(path, lstat(target))).isFile()) return;
  throw unusable(
    path,
    'it is a symbolic link that does not lead to a file of the same directory',
    'Put the file itself there, or leave it out by --exclude.',
  );
}

/** Returns whether releases leave a path out because of one of its names. The last name is that of a file. */
function isLeftOutPath(path: string): boolean {
  const names = path.split('/');
  return names.some((name, at) => isLeftOut(name, at < names.length - 1));
}

/**
 * The functions for descriptors are used instead of FileHandle, because each deploy of a directory reads a
 * whole tree, such as 3,000 files. A file of 4 KiB takes 0.08 ms of CPU with descriptors, and 0.14 ms with
 * FileHandle (Node.js 20.20).
 */
const descriptors = {
  open: promisify(open),
  stat: promisify(fstat),
  read: promisify(read),
  close: promisify(close),
};

/** Reads a file once. Rejects if the file changes meanwhile. */
async function readSource(source: string, path: string): Promise<SourceFile> {
  if (!isShowable(path)) {
    throw unusable(path, 'a node cannot show this path', 'Rename it, or leave it out by --exclude.');
  }
  // Without O_NONBLOCK, opening a FIFO would wait for a writer.
  const fd = await readable(path, descriptors.open(source, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const before = await descriptors.stat(fd, { bigint: true });
    if (!before.isFile()) {
      throw unusable(path, 'it is neither a file nor a directory', 'Leave it out by --exclude.');
    }
    if (before.size > LARGEST_FILE_BYTES) {
      throw unusable(
        path,
        `it has ${before.size} bytes, where ${LARGEST_FILE_BYTES} are the most`,
        'Leave it out by --exclude, and have the DAG fetch it when it runs.',
      );
    }
    const { sha256, size } = await readable(path, digestOf(fd, Number(before.size)));
    const now = await descriptors.stat(fd, { bigint: true });
    if (now.mtimeNs !== before.mtimeNs || now.size !== before.size || BigInt(size) !== now.size) {
      throw unusable(path, 'it changed while it was read', 'Deploy again when it is written.');
    }
    return { path, size, sha256, executable: (before.mode & 0o111n) !== 0n, source };
  } finally {
    await descriptors.close(fd);
  }
}

/** @param expected the size of the file, bytes */
async function digestOf(
  fd: number,
  expected: number,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256');
  // The buffer has one byte more than the file. So a read that does not fill the buffer has reached the end
  // of the file.
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, expected + 1));
  let size = 0;
  for (;;) {
    const { bytesRead } = await descriptors.read(fd, buffer, 0, buffer.length, null);
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
    if (bytesRead === 0 || (size === expected && bytesRead < buffer.length)) {
      return { sha256: hash.digest('hex'), size };
    }
  }
}

/** Waits for a call of the file system. Rejects with `unusable-source` if the call fails. */
async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isSystemError(error)) throw unreadableSource(path, error.code);
    throw error;
  }
}

/** @param code the name of the errno */
export function unreadableSource(path: string, code: string): DeployError {
  const hint = 'Repair its permissions, or leave it out by --exclude.';
  return unusable(path, `it cannot be read (${code})`, hint);
}

function unusable(path: string, reason: string, hint = 'Name another file or directory.'): DeployError {
  return new DeployError('unusable-source', `cannot deploy ${printableName(path)}: ${reason}`, hint);
}
