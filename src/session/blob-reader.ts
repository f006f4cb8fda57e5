import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { blobPath } from '../cache/blob-path.ts';
import { isFingerprint, isUnchanged } from '../cache/verification.ts';
import { isOwn } from '../host/own-file.ts';

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads cached blobs from the local disk, but only blobs whose content was verified before. The caller passes
 * the fingerprint that the blob's file had at that time. If the file's inode, size or ctime has changed since
 * then, the blob counts as absent, and the main thread verifies it again.
 */
export class BlobReader {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Fills `target` with the blob's bytes from `position` on, and returns true. Returns false if the file is
   * missing, changed, too short or unreadable; then the content of `target` is undefined.
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
      // The file is missing, unreadable or a directory, or the disk fails. The main thread finds out which,
      // and fetches the content.
      if (isSystemError(error)) return false;
      throw error;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
