import { lstatSync, mkdirSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import {
  type BlobParts,
  clearPlace,
  SYNC_BYTES,
  TEMPORARY_PREFIX,
  unlinkBlob,
  writeBlob,
  writeSmallBlob,
} from './blob-file.ts';
import { pathOfKey, shardOf, shardPath } from './blob-path.ts';

const DIRECTORY_MODE = 0o700;
/** Errors of a write because another entry is in the blob's place. */
const OCCUPIED: ReadonlySet<string> = new Set(['EISDIR', 'ENOTEMPTY', 'EEXIST']);

/** The blob files below one directory. */
export class BlobStore {
  readonly #directory: string;
  readonly #shards: Set<string>;
  /**
   * The shard in which all files are created before they are renamed to their places: the shard of the first
   * blob. ext4 puts each new directory into a block group of its own, and a file into the group of the
   * directory in which it is created. So files created in 256 shards touch 256 groups. On a disk in use, a
   * file of 4 KiB cost 124 and 169 us of CPU in the first two runs of 3,000 files, and 40 and 28 us in the
   * next runs, when the groups were in memory. If all files are created in one directory, a file costs 28 to
   * 30 us.
   */
  #incoming: string | undefined;
  #temporaries = 0;

  /** `shards`: the shards, which are subdirectories, that exist already. */
  constructor(directory: string, shards: ReadonlySet<string>) {
    this.#directory = directory;
    this.#shards = new Set(shards);
  }

  path(key: string): string {
    return pathOfKey(this.#directory, key);
  }

  /**
   * Writes the file of a small blob, and returns its fingerprint. Returns undefined if the blob is not small,
   * or if a system call fails: then use write(), which knows what can be done.
   */
  writeAtOnce(key: string, blob: BlobParts): bigint | undefined {
    const { fileBytes } = blob;
    if (fileBytes > SYNC_BYTES) return undefined;
    let temporary: string | undefined;
    try {
      temporary = this.#newTemporary(this.#shardFor(key));
      return writeSmallBlob(temporary, this.path(key), blob);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (temporary !== undefined) unlinkBlob(temporary);
      return undefined;
    }
  }

  /**
   * Writes a blob's file and returns its fingerprint. Rejects with the system's error, and then leaves no
   * file behind.
   */
  async write(key: string, blob: BlobParts): Promise<bigint> {
    try {
      return await this.#write(key, blob);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const shard = shardOf(key);
      const incoming = this.#incoming ?? shard;
      // Create no other files in that directory. If it is broken, writing should fail only for blobs that
      // belong there.
      this.#incoming = undefined;
      // Retry from the start. Before that, a removed directory is forgotten, so that the retry makes it
      // again, and another entry in the blob's place is removed.
      if (error.code === 'ENOENT') for (const each of [shard, incoming]) this.#shards.delete(each);
      else if (OCCUPIED.has(error.code)) await clearPlace(this.path(key));
      else if (error.code !== 'ENOTDIR' || incoming === shard) throw error;
      return this.#write(key, blob);
    }
  }

  async #write(key: string, blob: BlobParts): Promise<bigint> {
    const temporary = this.#newTemporary(this.#shardFor(key));
    try {
      return await writeBlob(temporary, this.path(key), blob);
    } catch (error) {
      // If this removal fails too, the next start removes the temporary file.
      unlinkBlob(temporary);
      throw error;
    }
  }

  /** Returns the path of a new temporary file. `shard`: the shard of the blob, which exists. */
  #newTemporary(shard: string): string {
    this.#incoming ??= shard;
    this.#temporaries += 1;
    const directory = shardPath(this.#directory, this.#incoming);
    return `${directory}/${TEMPORARY_PREFIX}${process.pid}-${this.#temporaries}`;
  }

  /** Returns the shard of a blob. Makes it if it does not exist. */
  #shardFor(key: string): string {
    const shard = shardOf(key);
    if (!this.#shards.has(shard)) this.#makeShard(shard);
    return shard;
  }

  #makeShard(shard: string): void {
    const path = shardPath(this.#directory, shard);
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
    // mkdir also succeeds if a symlink to a directory exists, so check with lstat.
    if (!lstatSync(path).isDirectory()) mkdirSync(path);
    this.#shards.add(shard);
  }
}
