import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Logger } from '../base/logger.ts';
import { isSystemError } from '../base/system-error.ts';
import { Yielder } from '../base/yielder.ts';
import type { ContentCache } from '../cache/content-cache.ts';
import type { Generation } from '../tree/index.ts';

export interface PinnedPathsOptions {
  readonly cache: Pick<ContentCache, 'pin' | 'unpin'>;
  /** The shown tree. */
  readonly generation: () => Generation | undefined;
  /** The file that keeps the pinned paths over restarts. */
  readonly file: string;
  readonly log: Logger;
}

const MOST_PATHS = 10_000;
const FILE_MODE = 0o600;

/**
 * The paths that an operator pinned in the cache, whatever version of their content is shown: after each
 * publication, the pins move to the content of the new tree. A directory includes everything in it, '' the
 * whole tree.
 */
export class PinnedPaths {
  readonly #options: PinnedPathsOptions;
  readonly #paths = new Set<string>();
  /** The names of the content versions that are pinned. */
  #names: ReadonlySet<string> = new Set();
  #work: Promise<void> = Promise.resolve();

  constructor(options: PinnedPathsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#paths.size;
  }

  get isFull(): boolean {
    return this.#paths.size >= MOST_PATHS;
  }

  /** Returns whether a path is pinned, itself or by a directory above it. */
  has(path: string): boolean {
    if (this.#paths.size === 0) return false;
    if (this.#paths.has('') || this.#paths.has(path)) return true;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      if (this.#paths.has(path.slice(0, slash))) return true;
    }
    return false;
  }

  /** Whether exactly this path is pinned. */
  isNamed(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Reads the paths that an earlier process stored. */
  async restore(): Promise<void> {
    const { file, log } = this.#options;
    try {
      const paths: unknown = JSON.parse(await readFile(file, 'utf8'));
      if (!Array.isArray(paths)) throw new SyntaxError('it is no list');
      for (const path of paths.slice(0, MOST_PATHS)) if (typeof path === 'string') this.#paths.add(path);
    } catch (error) {
      if (isSystemError(error) && error.code === 'ENOENT') return;
      if (!isSystemError(error) && !(error instanceof SyntaxError)) throw error;
      log.warn(
        { event: 'pins-unreadable', file, err: error },
        'the list of pinned paths cannot be read; nothing is pinned',
      );
    }
    await this.apply();
  }

  /**
   * Adds and removes pinned paths. Resolves when the shown tree's content is pinned accordingly, and the list
   * is saved.
   */
  async change(change: {
    readonly add?: readonly string[];
    readonly remove?: readonly string[];
  }): Promise<void> {
    for (const path of change.add ?? []) if (!this.isFull) this.#paths.add(path);
    for (const path of change.remove ?? []) this.#paths.delete(path);
    await Promise.all([this.apply(), this.#save()]);
  }

  /**
   * Pins the content of the pinned paths in the shown tree, and unpins other content. Must be called when
   * another tree is shown.
   */
  apply(): Promise<void> {
    if (this.#paths.size === 0 && this.#names.size === 0) return this.#work;
    this.#work = this.#work.then(() => this.#apply());
    return this.#work;
  }

  async #apply(): Promise<void> {
    const { cache, generation } = this.#options;
    const tree = generation();
    if (tree === undefined) return;
    const yielder = new Yielder();
    const names = new Set<string>();
    for (const path of this.#paths) {
      for (const index of filesAt(tree, path)) {
        names.add(tree.versionName(index));
        if (yielder.due()) await yielder.turn();
      }
    }
    const before = this.#names;
    this.#names = names;
    for (const name of names) if (!before.has(name)) cache.pin(name);
    for (const name of before) if (!names.has(name)) cache.unpin(name);
  }

  async #save(): Promise<void> {
    const { file, log } = this.#options;
    const temporary = `${file}.${process.pid}`;
    try {
      await writeFile(temporary, JSON.stringify([...this.#paths]), { mode: FILE_MODE });
      await rename(temporary, file);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.warn(
        { event: 'pins-not-kept', file, err: error },
        'the list of pinned paths cannot be stored; a restart loses the changes',
      );
    }
  }
}

/**
 * Yields the files at a path of the tree: the file itself, or all files below the directory; nothing if there
 * is no such path.
 */
export function* filesAt(tree: Generation, path: string): Generator<number> {
  const top = tree.find(path);
  if (top < 0) return;
  if (!tree.isDirectory(top)) {
    yield top;
    return;
  }
  const directories = [top];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (let index = tree.childrenStart(directory); index < tree.childrenEnd(directory); index++) {
      if (tree.isDirectory(index)) directories.push(index);
      else yield index;
    }
  }
}
