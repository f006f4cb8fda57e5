import { close, constants, openSync, read, unlinkSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { persistedFiles } from '../base/persisted-files.ts';
import { isSystemError } from '../base/system-error.ts';
import { deferred } from '../base/waiting.ts';
import type { ByteRange } from './chunks.ts';

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const FILE_MODE = 0o600;
const closeFile = promisify(close);
const readFile = promisify(read);
const writeFile = promisify(write);

/**
 * Stores the content of one file on the disk, until it is known whether the content may be kept. The spool's
 * file has no name, so it disappears however the process ends. No method fails because of the disk.
 */
export class Spool {
  readonly #descriptor: number;
  #written = 0;
  #isUsable = true;
  /**
   * System calls in progress on the descriptor. If it were closed meanwhile, the calls could access another
   * file.
   */
  #calls = 0;
  readonly #unused = deferred<void>();
  #closed: Promise<void> | undefined;

  /** `descriptor`: the descriptor of an empty file, which close() closes. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * Opens a spool in `directory`, the mount's own cache directory. Returns undefined if no file can be made
   * there.
   */
  static open(directory: string): Spool | undefined {
    const path = `${directory}/${persistedFiles.spool.name}`;
    try {
      // Removes an empty file that is left if a process was killed between the two calls below.
      unlink(path);
      const descriptor = openSync(path, FLAGS, FILE_MODE);
      unlink(path);
      return new Spool(descriptor);
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }

  /** Appends bytes. Does nothing after a failure of the disk or after close(). */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const written = await this.#call((file) =>
        writeFile(file, bytes, done, bytes.length - done, this.#written),
      );
      if (written === undefined) return;
      done += written.bytesWritten;
      this.#written += written.bytesWritten;
    }
  }

  /** Returns the bytes of a range; undefined if the disk does not have all of them. */
  async read({ start, end }: ByteRange): Promise<Uint8Array | undefined> {
    const bytes = Buffer.allocUnsafeSlow(end - start);
    for (let filled = 0; filled < bytes.length; ) {
      const got = await this.#call((file) =>
        readFile(file, bytes, filled, bytes.length - filled, start + filled),
      );
      if (got === undefined || got.bytesRead === 0) return undefined;
      filled += got.bytesRead;
    }
    return bytes;
  }

  /** Closes the file, which frees its space on the disk. */
  close(): Promise<void> {
    this.#isUsable = false;
    if (this.#calls === 0) this.#unused.resolve();
    this.#closed ??= this.#unused.promise.then(() => closeFile(this.#descriptor)).catch(() => undefined);
    return this.#closed;
  }

  async #call<T>(call: (descriptor: number) => Promise<T>): Promise<T | undefined> {
    if (!this.#isUsable) return undefined;
    this.#calls += 1;
    try {
      return await call(this.#descriptor);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#isUsable = false;
      return undefined;
    } finally {
      this.#calls -= 1;
      if (this.#closed !== undefined && this.#calls === 0) this.#unused.resolve();
    }
  }
}

function unlink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
  }
}
