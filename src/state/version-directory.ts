import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { keptFiles } from '../base/kept-files.ts';
import type { Logger } from '../base/logger.ts';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { type Generation, generationBytes, restoreGeneration, TreeError } from '../tree/index.ts';

/** A version as an earlier process left it. */
export interface KeptVersion {
  readonly id: string;
  readonly generation: Generation;
  /** Milliseconds since the epoch. */
  readonly lastUsed: number;
}

const MAGIC = Buffer.from('DAGMVER\x01', 'latin1');
const DIGEST_BYTES = 32;
const HEAD_BYTES = MAGIC.length + DIGEST_BYTES;
/** More are never kept; whatever lies here beyond that was not written by this program. */
const MOST_FILES = 1024;
const FILE_MODE = 0o600;
/** Made with the directory; its mtime is that of the mount's root. */
const MADE_AT = 'made-at';

/**
 * The versions of a mount on the local disk: one file for each, whose name is its id and whose mtime is its last use. What
 * is damaged, another mount's or not to be read is as if it was not there: it can be had again from the source. So a file
 * is not synced, and a disk in trouble only costs that.
 */
export class VersionDirectory {
  readonly #path: string;
  readonly #mountId: string;
  readonly #log: Logger;

  constructor(cacheDirectory: string, mountId: string, log: Logger) {
    this.#path = `${cacheDirectory}/${keptFiles.versions.name}`;
    this.#mountId = mountId;
    this.#log = log;
  }

  /** When the directory was made: the same for all processes that serve the mount. */
  async madeAt(now: number): Promise<number> {
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
      const file = `${this.#path}/${MADE_AT}`;
      await writeFile(file, '', { flag: 'ax', mode: FILE_MODE }).catch(() => undefined);
      return (await stat(file)).mtimeMs;
    } catch (error) {
      this.#tell('made-at', error);
      return now;
    }
  }

  /** Those whose ids are ones, and whose trees have this salt. Others are removed. */
  async read(isId: (name: string) => boolean, salt: bigint): Promise<readonly KeptVersion[]> {
    const names = await readdir(this.#path).catch(() => []);
    const kept: KeptVersion[] = [];
    for (const name of names.filter((each) => each !== MADE_AT).slice(0, MOST_FILES)) {
      const version = isId(name) ? await this.#readOne(name) : undefined;
      if (version?.generation.salt === salt) kept.push(version);
      else await this.remove(name);
    }
    return kept;
  }

  /** Resolves when it is written, or cannot be. */
  async write(id: string, generation: Generation): Promise<void> {
    const bytes = generationBytes(generation);
    const temporary = `${this.#path}/${id}.new`;
    try {
      await writeFile(temporary, [MAGIC, this.#digest(id, bytes), bytes], { mode: FILE_MODE });
      await rename(temporary, `${this.#path}/${id}`);
    } catch (error) {
      this.#tell(id, error);
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async used(id: string, now: number): Promise<void> {
    await utimes(`${this.#path}/${id}`, now / 1000, now / 1000).catch(() => undefined);
  }

  async remove(name: string): Promise<void> {
    await rm(`${this.#path}/${name}`, { force: true }).catch((error: unknown) => this.#tell(name, error));
  }

  async #readOne(id: string): Promise<KeptVersion | undefined> {
    try {
      const path = `${this.#path}/${id}`;
      const stats = await stat(path);
      if (!stats.isFile() || !isOwn(stats)) return undefined;
      const file = await readFile(path);
      const bytes = file.subarray(HEAD_BYTES);
      const head = Buffer.concat([MAGIC, this.#digest(id, bytes)]);
      if (!file.subarray(0, HEAD_BYTES).equals(head)) return undefined;
      return { id, generation: restoreGeneration(bytes), lastUsed: stats.mtimeMs };
    } catch (error) {
      if (!(error instanceof TreeError)) this.#tell(id, error);
      return undefined;
    }
  }

  #digest(id: string, bytes: Uint8Array): Buffer {
    return createHash('sha256').update(`${this.#mountId}\0${id}\0`).update(bytes).digest();
  }

  #tell(version: string, error: unknown): void {
    const code = isSystemError(error) ? error.code : String(error);
    this.#log.warn(
      { event: 'version-unkept', version, code },
      'a version cannot be kept on the local disk: after a restart it is fetched again',
    );
  }
}
