import { constants, linkSync, renameSync, rmdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { isShortOfRoom, isSystemError, systemCode } from '../base/system-error.ts';
import { DiskTrouble } from './disk-trouble.ts';
import { type StateImage, writeImage } from './state-file.ts';
import { COMMIT_AT } from './state-header.ts';
import { writeVerified } from './verified-file.ts';

const FILE_MODE = 0o600;

export interface TakeoverPaths {
  /** The state in force: the last one that was committed. */
  readonly current: string;
  /** The state that is being written. */
  readonly next: string;
  /**
   * The previous state, until the kernel has answered all notifications about the changes since. An empty
   * file if that state could not be stored.
   */
  readonly previous: string;
  /** Which content of the state in force is verified; see verified-file.ts. */
  readonly verified: string;
  /** What will replace `verified`. */
  readonly verifiedNext: string;
}

export function takeoverPaths(directory: string): TakeoverPaths {
  const current = `${directory}/${persistedFiles.takeover.name}`;
  const verified = `${directory}/${persistedFiles.verified.name}`;
  return {
    current,
    next: `${current}.next`,
    previous: `${current}.previous`,
    verified,
    verifiedNext: `${verified}.next`,
  };
}

/**
 * Writes the state to the runtime directory, a tmpfs, where the next process finds it after a crash, even if
 * the cache's disk fails. A rename puts a new state in force. If the new state cannot be written, the old one
 * is removed before the new tree is shown: a successor must find the node ids that the kernel has, or none.
 */
export class TakeoverFile {
  readonly paths: TakeoverPaths;
  readonly trouble: DiskTrouble;
  #handle: FileHandle | undefined;
  readonly #directory: string;
  #inForce = false;
  /** Whether this process has shown a tree, of which the kernel then caches parts. */
  #hasShown = false;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.paths = takeoverPaths(directory);
    this.trouble = new DiskTrouble(
      this.paths.current,
      { full: 'state-unwritable', unwritable: 'state-unwritable' },
      log,
    );
  }

  async write(image: StateImage): Promise<void> {
    await this.#close();
    this.#inForce = false;
    try {
      await this.#writeNext(image);
    } catch (first) {
      if (!isShortOfRoom(systemCode(first))) {
        this.#fail(first);
        return;
      }
      // A takeover does not need the record of what is verified, and does need the state.
      this.forgetVerified();
      try {
        await this.#writeNext(image);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  async #writeNext(image: StateImage): Promise<void> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    try {
      this.#handle = await open(this.paths.next, flags, FILE_MODE);
      await writeImage(this.#handle, image);
    } catch (error) {
      await this.#close();
      remove(this.paths.next);
      throw error;
    }
  }

  /**
   * Puts the written state in force, in some 100 us. Uses system calls on a tmpfs, and not libuv's thread
   * pool, which another disk may block.
   */
  commit(record: Uint8Array): void {
    const { current, next, previous } = this.paths;
    try {
      if (this.#handle === undefined) {
        remove(current);
        return;
      }
      writeSync(this.#handle.fd, record, 0, record.length, COMMIT_AT);
      if (this.#inForce) return;
      rmSync(previous, { force: true });
      // crash point: the new state is complete beside the old one, which is still in force.
      if (!linkIfThere(current, previous) && this.#hasShown) {
        // The shown tree could not be stored, so the missing notifications are unknown. The empty file is no
        // usable state: if this process dies before the kernel has answered, the successor makes a new mount.
        writeFileSync(previous, '', { flag: 'wx', mode: FILE_MODE });
      }
      renameSync(next, current);
      // crash point: the new state is in force. The previous state tells which notifications may be missing.
      this.#inForce = true;
      this.trouble.wrote();
    } catch (error) {
      this.#fail(error);
      remove(next);
      remove(current);
    }
  }

  /** Call this when a tree is shown, and the kernel has answered all notifications about it. */
  acknowledged(): void {
    this.#hasShown = true;
    remove(this.paths.previous);
  }

  /**
   * Tells a successor which content of the shown tree is verified. A failure costs it time only: it verifies the
   * content again. Does nothing while the state itself cannot be written.
   */
  recordVerified(number: number, fingerprints: BigUint64Array): void {
    if (this.trouble.name !== undefined) return;
    try {
      writeVerified(this.paths.verified, this.paths.verifiedNext, number, fingerprints);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  /** Removes that record. */
  forgetVerified(): void {
    remove(this.paths.verified);
    remove(this.paths.verifiedNext);
  }

  async close(): Promise<void> {
    await this.#close();
  }

  /** Removes the files, because no successor will come, and the directory if it is then empty. */
  remove(): void {
    for (const path of Object.values(this.paths)) remove(path);
    try {
      rmdirSync(this.#directory);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #fail(error: unknown): void {
    if (!isSystemError(error)) throw error;
    this.trouble.failed(error.code);
  }
}

/** Removes a file. Ignores a system error: on a disk that accepts no writes, an outdated file may stay. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Links a file under another name. Returns whether the file exists. */
function linkIfThere(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
    return false;
  }
}
