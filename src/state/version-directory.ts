import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { isSystemError } from '../base/system-error.ts';
import { type Generation, generationBytes, restoreGeneration, TreeError } from '../tree/index.ts';
import { type PackedBase, packBase, packBehind, unpackBase, unpackBehind } from './tree-packing.ts';
import { digestOfTree, encodeVersionFile, readVersionFile, type VersionFile } from './version-file.ts';

/** The tree of a version (an earlier release), as an earlier process stored it. */
export interface KeptVersion {
  readonly id: string;
  readonly generation: Generation;
  /** Milliseconds since the epoch. */
  readonly lastUsed: number;
}

/** The maximum number of names that are read, which is more than dagmount ever writes. */
const MOST_FILES = 1024;
const FILE_MODE = 0o600;
/** An empty file that is made with the directory. The mount's root has the mtime of this file. */
const MADE_AT = 'made-at';
const BASE_PREFIX = 'base-';
/** How many digits of its tree's SHA-256 the name of a base contains. */
const BASE_DIGITS = 32;
const BASE_NAME = /^base-[0-9a-f]{32}$/;
/**
 * If a tree takes more than this share of its base's size behind that base, it becomes a base itself: the two
 * trees have little in common.
 */
const WORTHWHILE = 1 / 2;

/**
 * The trees of a mount's versions (earlier releases) on the local disk, in one file for each version. The
 * file's name is the version's id, and its mtime is when the version was last used. It contains the
 * difference between the tree and a base. A base is a separate file, which stays as long as a version needs
 * it. A file that is damaged, unreadable or from another mount counts as missing, because the version can be
 * fetched from the source again. So files are not synced, and a failing disk costs no more than such a fetch.
 */
export class VersionDirectory {
  readonly #path: string;
  readonly #mountId: string;
  readonly #log: Logger;
  /** The name of each version's base, by the version's id. */
  readonly #bases = new Map<string, string>();
  /** The name of the base that the next version is compressed behind. */
  #base: string | undefined;
  /** Changes run one after another, so that no base is removed while a version is compressed behind it. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(cacheDirectory: string, mountId: string, log: Logger) {
    this.#path = `${cacheDirectory}/${persistedFiles.versions.name}`;
    this.#mountId = mountId;
    this.#log = log;
  }

  /**
   * Returns when the directory was made, which all processes that serve the mount agree on. Returns `now` if
   * the disk does not store that time.
   */
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

  /**
   * Reads the stored versions. Returns those whose names are ids and whose trees have this salt, and removes
   * all others.
   */
  async read(isId: (name: string) => boolean, salt: bigint): Promise<readonly KeptVersion[]> {
    const names = (await readdir(this.#path).catch(() => [])).filter((name) => name !== MADE_AT);
    const kept: KeptVersion[] = [];
    const strangers: string[] = [];
    for (const name of names.slice(0, MOST_FILES).filter((each) => !each.startsWith(BASE_PREFIX))) {
      const version = isId(name) ? await this.#readOne(name) : undefined;
      if (version?.generation.salt === salt) kept.push(version);
      else strangers.push(name);
    }
    for (const name of strangers) await this.remove(name);
    const newest = [...kept].sort((one, other) => other.lastUsed - one.lastUsed)[0];
    this.#base = newest && this.#bases.get(newest.id);
    await this.#removeUnused(names.filter((name) => name.startsWith(BASE_PREFIX)));
    return kept;
  }

  /** Stores the tree of a version. Resolves when it is written, and also when it cannot be written. */
  write(id: string, generation: Generation): Promise<void> {
    return this.#change(() => this.#write(id, generationBytes(generation)));
  }

  async used(id: string, now: number): Promise<void> {
    await utimes(`${this.#path}/${id}`, now / 1000, now / 1000).catch(() => undefined);
  }

  /** Removes a version, once all changes that were requested earlier are done. */
  remove(name: string): Promise<void> {
    return this.#change(async () => {
      await this.#removeFile(name);
      const base = this.#bases.get(name);
      this.#bases.delete(name);
      if (base !== undefined) await this.#removeUnused([base]);
    });
  }

  /** Runs `work`, which must never reject, once all earlier changes are done. */
  #change(work: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(work);
    this.#changing = changed;
    return changed;
  }

  async #write(id: string, tree: Uint8Array): Promise<void> {
    try {
      const file = await this.#pack(tree);
      await this.#writeFile(id, tree, file);
      this.#bases.set(id, file.base);
      this.#base = file.base;
    } catch (error) {
      this.#tell(id, error);
    }
  }

  async #pack(tree: Uint8Array): Promise<VersionFile> {
    const known = this.#base === undefined ? undefined : await this.#readBase(this.#base);
    const packed = known && (await packBehind(known, tree));
    if (this.#base !== undefined && known !== undefined && packed !== undefined) {
      if (packed.length <= WORTHWHILE * known.packed.length)
        return { base: this.#base, bytes: tree.length, packed };
    }
    const base = await packBase(tree);
    const name = nameOfBase(tree);
    // crash point: nothing needs the base yet, and the next process removes it.
    await this.#writeFile(name, tree, { base: '', bytes: tree.length, packed: base.packed });
    const nothing = await packBehind(base, tree);
    if (nothing === undefined) throw new Error('the same tree was compressed to other bytes');
    return { base: name, bytes: tree.length, packed: nothing };
  }

  async #writeFile(name: string, tree: Uint8Array, file: VersionFile): Promise<void> {
    const temporary = `${this.#path}/${name}.new`;
    const parts = encodeVersionFile(digestOfTree(this.#mountId, name, tree), file);
    try {
      await writeFile(temporary, parts, { mode: FILE_MODE });
      await rename(temporary, `${this.#path}/${name}`);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async #readOne(id: string): Promise<KeptVersion | undefined> {
    try {
      const file = await readVersionFile(`${this.#path}/${id}`);
      if (file === undefined || !BASE_NAME.test(file.base)) return undefined;
      const base = await readVersionFile(`${this.#path}/${file.base}`);
      if (base === undefined) return undefined;
      const tree = await unpackBehind(base, file.packed, file.bytes);
      if (!digestOfTree(this.#mountId, id, tree).equals(file.digest)) return undefined;
      this.#bases.set(id, file.base);
      return { id, generation: restoreGeneration(tree), lastUsed: file.mtimeMs };
    } catch (error) {
      if (!isDamage(error)) this.#tell(id, error);
      return undefined;
    }
  }

  /**
   * Reads a base. Returns undefined if the base cannot be used: the next version then becomes a base itself.
   */
  async #readBase(name: string): Promise<PackedBase | undefined> {
    try {
      const file = await readVersionFile(`${this.#path}/${name}`);
      if (file === undefined) return undefined;
      const tree = await unpackBase(file.packed, file.bytes);
      return nameOfBase(tree) === name ? { tree, packed: file.packed } : undefined;
    } catch (error) {
      if (!isDamage(error)) this.#tell(name, error);
      return undefined;
    }
  }

  async #removeUnused(bases: readonly string[]): Promise<void> {
    const used = new Set(this.#bases.values());
    for (const name of bases) {
      if (used.has(name)) continue;
      if (this.#base === name) this.#base = undefined;
      await this.#removeFile(name);
    }
  }

  async #removeFile(name: string): Promise<void> {
    await rm(`${this.#path}/${name}`, { force: true }).catch((error: unknown) => this.#tell(name, error));
  }

  #tell(version: string, error: unknown): void {
    const code = isSystemError(error) ? error.code : String(error);
    this.#log.warn(
      { event: 'version-unkept', version, code },
      'a version cannot be kept on the local disk: after a restart it is fetched again',
    );
  }
}

function nameOfBase(tree: Uint8Array): string {
  return `${BASE_PREFIX}${createHash('sha256').update(tree).digest('hex').slice(0, BASE_DIGITS)}`;
}

/** Whether the error means that a file is damaged or incomplete, or that its base is missing. */
function isDamage(error: unknown): boolean {
  if (error instanceof TreeError || error instanceof RangeError) return true;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return error.code === 'ENOENT' || error.code.startsWith('ERR_') || error.code.startsWith('Z_');
}
