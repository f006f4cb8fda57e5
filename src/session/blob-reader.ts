import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { blobPath } from '../cache/blob-path.ts';
import { isFingerprint, isUnchanged } from '../cache/verification.ts';
import { isOwn } from '../host/own-file.ts';

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads cached content from the local disk, but only content that the main thread has verified. If a blob's inode,
 * size or ctime changed since then, it counts as absent, and the main thread verifies it again.
 */
export class BlobReader {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Fills `target` with the blob's bytes from `position` on. Returns false if the content is not safely available
   * here; then `target` is undefined.
   */
  read(
    name: string,
    chunk: number | undefined,
    fingerprint: bigint,
    position: number,
    target: Uint8Array,
  ): boolean {
    if (!isFingerprint(fingerprint)) return false;
    let fd: number | undefined;
    try {
      fd = openSync(blobPath(this.#directory, name, chunk), OPEN_FLAGS);
      const stats = fstatSync(fd, { bigint: true });
      if (!isOwn(stats) || !isUnchanged(fingerprint, stats)) return false;
      for (let filled = 0; filled < target.length; ) {
        const got = readSync(fd, target, filled, target.length - filled, position + filled);
        if (got === 0) return false;
        filled += got;
      }
      return true;
    } catch (error) {
      // Missing, unreadable, a directory, or a failing disk: the main thread finds out which, and gets the content.
      if (isSystemError(error)) return false;
      throw error;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
