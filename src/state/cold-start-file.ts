import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import { isSystemError } from '../base/system-error.ts';
import { DiskTrouble } from './disk-trouble.ts';
import { type StateImage, writeImage } from './state-file.ts';
import { COMMIT_AT } from './state-header.ts';

const FILE_MODE = 0o600;
/** The longest time that a hung disk delays a publication. */
const WRITE_MS = 5_000;
/**
 * How long `commit` waits for the disk. It is short, because the instant of the publication is already
 * chosen, and the trees must be swapped before that instant.
 */
const COMMIT_MS = 50;

export interface ColdStartPaths {
  readonly current: string;
  readonly temporary: string;
}

export function coldStartPaths(directory: string): ColdStartPaths {
  const current = `${directory}/${persistedFiles.generation.name}`;
  return { current, temporary: `${current}.tmp` };
}

/**
 * Writes the state to the cache directory, for the start after a reboot: writes a temporary file, syncs it,
 * renames it, and syncs the directory. A full, broken or hung disk does not prevent a publication.
 */
export class ColdStartFile {
  readonly paths: ColdStartPaths;
  readonly trouble: DiskTrouble;
  readonly #directory: string;
  readonly #clock: Clock;
  #handle: FileHandle | undefined;
  #inForce = false;
  #isCurrent = false;
  #hasCommitted = false;
  /**
   * The last job of the queue. Jobs run one at a time: a hung job delays later ones, which then time out,
   * too.
   */
  #tail: Promise<void> = Promise.resolve();

  /** `isCurrent`: whether the file holds the last committed state, or a function that looks. */
  constructor(directory: string, isCurrent: boolean | (() => Promise<boolean>), clock: Clock, log: Logger) {
    this.#directory = directory;
    this.#clock = clock;
    if (typeof isCurrent === 'boolean') this.#isCurrent = isCurrent;
    else
      void this.#enqueue(async () => {
        const found = await isCurrent();
        if (!this.#hasCommitted) this.#isCurrent = found;
      });
    this.paths = coldStartPaths(directory);
    this.trouble = new DiskTrouble(
      this.paths.current,
      { full: 'cache-full', unwritable: 'cache-unwritable' },
      log,
    );
  }

  /** Whether the file holds the last committed state. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Writes the state without its commit record to the temporary file, and syncs that file. */
  async write(image: StateImage): Promise<void> {
    const controller = new AbortController();
    const done = this.#enqueue(async () => {
      await this.#closeHandle();
      controller.signal.throwIfAborted();
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
      this.#inForce = false;
      this.#handle = await open(this.paths.temporary, flags, FILE_MODE);
      await writeImage(this.#handle, image, controller.signal);
      await this.#handle.sync();
      controller.signal.throwIfAborted();
    });
    if (!(await this.#isDoneIn(WRITE_MS, done))) {
      controller.abort();
      this.trouble.failed('ETIMEDOUT');
    }
  }

  /**
   * Writes the commit record, and renames the file unless that was done before. Waits at most COMMIT_MS for
   * the disk: slower writes continue after the publication.
   */
  async commit(record: Uint8Array): Promise<void> {
    this.#isCurrent = false;
    this.#hasCommitted = true;
    const done = this.#enqueue(async () => {
      if (this.#handle === undefined) return;
      await this.#handle.write(record, 0, record.length, COMMIT_AT);
      await this.#handle.datasync();
      if (this.#inForce) {
        this.#isCurrent = true;
        return;
      }
      // crash point: the new state is complete beside the old one, which is still in force.
      await rename(this.paths.temporary, this.paths.current);
      this.#inForce = true;
      await syncDirectory(this.#directory);
      // crash point: the new state is in force, also after a power failure.
      this.#isCurrent = true;
      this.trouble.wrote();
    });
    await this.#isDoneIn(COMMIT_MS, done);
  }

  async close(): Promise<void> {
    await this.#isDoneIn(
      WRITE_MS,
      this.#enqueue(() => this.#closeHandle()),
    );
  }

  /** Closes the file and removes it. If the disk fails or hangs, the file may stay. */
  async discard(): Promise<void> {
    const remove = async (): Promise<void> => {
      await this.#closeHandle();
      try {
        for (const path of [this.paths.temporary, this.paths.current]) await rm(path, { force: true });
        await syncDirectory(this.#directory);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    };
    await this.#isDoneIn(WRITE_MS, this.#enqueue(remove));
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(job).catch((error: unknown) => this.#fail(error));
    return this.#tail;
  }

  async #isDoneIn(ms: number, job: Promise<void>): Promise<boolean> {
    const over = new AbortController();
    const late = this.#clock.sleep(ms, over.signal).then(
      () => false,
      () => true,
    );
    const done = await Promise.race([job.then(() => true), late]);
    over.abort();
    return done;
  }

  async #fail(error: unknown): Promise<void> {
    await this.#closeHandle();
    if (isSystemError(error)) {
      this.trouble.failed(error.code);
      await rm(this.paths.temporary, { force: true }).catch(() => undefined);
      return;
    }
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}
