import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { blobPath } from '../cache/blob-path.ts';
import { ARRIVING, fingerprintOf } from '../cache/fingerprint.ts';
import { isOwn } from '../host/own-file.ts';

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads cached content from the local disk, and only content that main has verified: a blob whose inode,
 * size or ctime is not the one of the last check counts as absent, and main checks it again.
 */
export class BlobReader {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Fills `target` with the blob's bytes from `position` on.
   * Returns false, having promised nothing about `target`, when that content is not safely to be had here.
   */
  read(
    name: string,
    chunk: number | undefined,
    fingerprint: bigint,
    position: number,
    target: Uint8Array,
  ): boolean {
    if (fingerprint <= ARRIVING) return false;
    let fd: number | undefined;
    try {
      fd = openSync(blobPath(this.#directory, name, chunk), OPEN_FLAGS);
      const stats = fstatSync(fd, { bigint: true });
      if (!isOwn(stats) || fingerprintOf(stats) !== fingerprint) return false;
      for (let filled = 0; filled < target.length; ) {
        const got = readSync(fd, target, filled, target.length - filled, position + filled);
        if (got === 0) return false;
        filled += got;
      }
      return true;
    } catch (error) {
      // Gone, unreadable, a directory in its place, a failing disk: main finds out which, and gets the content.
      if (isSystemError(error)) return false;
      throw error;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
