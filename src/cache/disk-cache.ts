import { isShortOfRoom, isSystemError } from '../base/system-error.ts';
import { Yielder } from '../base/yielder.ts';
import type { Blob } from './blob.ts';
import { type Checked, checkBlob, clearPlace, isFileUnchanged, unlinkBlob } from './blob-file.ts';
import { BlobIndex, type Reservation } from './blob-index.ts';
import { nameOfKey } from './blob-path.ts';
import { BlobStore } from './blob-store.ts';
import { DiskHealth, type DiskTrouble } from './disk-health.ts';
import { writeOrder } from './order-file.ts';
import type { Clock, Logger } from './ports.ts';
import type { ReceivedBlob } from './receive.ts';
import { type Recovered, surplus } from './recovery.ts';
import { flawUnderKey } from './trailer.ts';
import { ABSENT } from './verification.ts';

export interface DiskCacheOptions {
  readonly directory: string;
  /** Bytes of content. */
  readonly limitBytes: number;
  /** See BlobIndexOptions. */
  readonly evictionPaused?: boolean | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** Called if the disk accepts no writes, and for each corrupt blob. */
  readonly onTrouble?: ((code: DiskTrouble | 'corrupt', detail: string) => void) | undefined;
}

/**
 * Keeps the blobs on disk and their index consistent. If the disk fails, methods report that by their result;
 * they do not throw.
 */
export class DiskCache {
  readonly index: BlobIndex;
  readonly #options: DiskCacheOptions;
  readonly #files: BlobStore;
  readonly #health: DiskHealth;
  #corrupt = 0;
  #orderChanged = false;

  constructor(options: DiskCacheOptions, shards: ReadonlySet<string>) {
    this.#options = options;
    this.#files = new BlobStore(options.directory, shards);
    this.#health = new DiskHealth(options.clock, (trouble, errno) => this.#tell(trouble, errno));
    const { limitBytes, evictionPaused } = options;
    this.index = new BlobIndex({ limitBytes, evictionPaused, remove: (key) => this.#remove(key) });
  }

  get trouble(): DiskTrouble | undefined {
    return this.#health.trouble;
  }

  /** Corrupt blobs found so far. */
  get corrupt(): number {
    return this.#corrupt;
  }

  /** Adds recovered blobs to the index. Removes those beyond the limit, unless eviction is paused. */
  async addRecovered({ blobs, corrupt }: Recovered): Promise<void> {
    this.#corrupt += corrupt;
    const { limitBytes, evictionPaused } = this.#options;
    const gone = new Set(evictionPaused === true ? [] : surplus(blobs, limitBytes));
    const yielder = new Yielder({ sliceMs: 2, callsPerLook: 8 });
    for (const blob of blobs) {
      const { key, bytes, fileBytes } = blob;
      if (!gone.has(blob) || !this.#remove(key)) {
        this.index.add({ key, name: nameOfKey(key), bytes, fileBytes, fingerprint: ABSENT });
      }
      if (yielder.due()) await yielder.turn();
    }
  }

  /**
   * Returns the fingerprint of the blob of a whole file; undefined if this process has not verified the blob,
   * or if the blob's file has changed since.
   */
  fingerprintOf(name: string): bigint | undefined {
    const blob = this.index.peek(name);
    return blob !== undefined && this.isVerified(blob) ? blob.fingerprint : undefined;
  }

  /** Whether the blob's file is unchanged since this process last verified its content. */
  isVerified(blob: Blob): boolean {
    return isFileUnchanged(this.#files.path(blob.key), blob.fingerprint);
  }

  pathOf(key: string): string {
    return this.#files.path(key);
  }

  /**
   * Returns the content of a blob, verified by its checksum; undefined if the file is unreadable or corrupt.
   */
  async contentOf(blob: Blob): Promise<Uint8Array | undefined> {
    let content: Uint8Array | undefined;
    const keep = (file: Buffer): string | undefined => {
      const flaw = flawUnderKey(file, blob.key);
      if (flaw === undefined) content = file.subarray(0, blob.bytes);
      return flaw;
    };
    const { kind } = await checkBlob(this.#files.path(blob.key), keep);
    return kind === 'good' ? content : undefined;
  }

  use(blob: Blob): void {
    this.index.touch(blob);
    this.#orderChanged = true;
  }

  /** Reads a blob's whole file and checks it with `flawOf`. Removes and counts a corrupt blob. */
  async check(blob: Blob, flawOf: (file: Buffer) => string | undefined): Promise<Checked> {
    const { key } = blob;
    const path = this.#files.path(key);
    const checked = await checkBlob(path, flawOf);
    if (this.index.peek(key) !== blob) return checked;
    if (checked.kind === 'good') blob.fingerprint = checked.fingerprint;
    if (checked.kind === 'bad') {
      this.index.delete(key);
      this.#orderChanged = true;
      this.#corrupt += 1;
      const { flaw } = checked;
      this.#options.log.warn(
        { event: 'cache-corrupt', key, flaw },
        'a cached blob is corrupt and was removed; its content is fetched again',
      );
      this.#options.onTrouble?.(
        'corrupt',
        `The blob ${key} was not what was stored (${flaw}): it is removed.`,
      );
      const errno = await clearPlace(path);
      if (errno !== undefined) this.#health.failed(errno);
    }
    return checked;
  }

  /**
   * Reserves space for a version's content. Returns undefined if there is no space, or if the disk currently
   * accepts no writes.
   */
  reserve(name: string, bytes: number): Reservation | undefined {
    return this.#health.mayWrite() ? this.index.reserve(name, bytes) : undefined;
  }

  /**
   * Writes a blob's file and returns its fingerprint; undefined if the disk does not accept the file. Does
   * not add the blob to the index. A small blob is usually on disk at once: then the result is no promise,
   * which would cost more than some of the system calls.
   */
  write(key: string, name: string, blob: ReceivedBlob): bigint | Promise<bigint | undefined> {
    const fingerprint = this.#files.writeAtOnce(key, blob);
    if (fingerprint === undefined) return this.#write(key, name, blob);
    this.#health.wrote();
    return fingerprint;
  }

  async #write(key: string, name: string, blob: ReceivedBlob): Promise<bigint | undefined> {
    for (let again = true; ; again = false) {
      try {
        const fingerprint = await this.#files.write(key, blob);
        this.#health.wrote();
        return fingerprint;
      } catch (error) {
        if (!isSystemError(error)) throw error;
        // The disk may be smaller than the limit: evict less important blobs and retry.
        if (again && isShortOfRoom(error.code) && this.index.giveUp(name, blob.fileBytes)) continue;
        this.#health.failed(error.code);
        return undefined;
      }
    }
  }

  /**
   * Adds a blob to the index. Returns false if the blob was evicted immediately, because its version was
   * unpinned or hidden during the write.
   */
  add(blob: Omit<Blob, 'used'>): boolean {
    this.index.add(blob);
    this.#orderChanged = true;
    return this.index.peek(blob.key) !== undefined;
  }

  /** Saves the order of eviction if it has changed. */
  async saveOrder(): Promise<void> {
    if (!this.#orderChanged) return;
    this.#orderChanged = false;
    try {
      await writeOrder(this.#options.directory, this.index.inOrder());
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#orderChanged = true;
      this.#health.failed(error.code);
    }
  }

  #remove(key: string): boolean {
    this.#orderChanged = true;
    const errno = unlinkBlob(this.#files.path(key));
    if (errno !== undefined) this.#health.failed(errno);
    return errno === undefined;
  }

  #tell(trouble: DiskTrouble | undefined, errno: string | undefined): void {
    const { log, directory, onTrouble } = this.#options;
    if (trouble !== undefined)
      onTrouble?.(trouble, `The cache takes no content (${errno}): reads go through.`);
    if (trouble === undefined)
      log.info({ event: 'cache-writable', directory }, 'the cache can be written again');
    else
      log.warn(
        { event: 'cache-unwritable', code: trouble, errno, directory },
        'the cache cannot be written; reads fetch content from the store',
      );
  }
}
