import type { Stop } from '../store/stop.ts';
import { type AdoptedObject, type AdoptedObjects, type Generation, versionName } from '../tree/index.ts';
import { MARK } from './content-state.ts';
import { codeOf } from './failure.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { ContentCachePort, CurrentContent } from './ports.ts';
import { isShown } from './shown.ts';

type Cache = Pick<ContentCachePort, 'fetchCurrent' | 'hide'>;

/**
 * Adopts versions: fetches them in place of the listed ones, for a store in which objects change faster than
 * they can be listed. The content of an adopted version is in the cache, unless it is too large or the disk
 * has no room. Each path is adopted once, so rebuilding the tree and fetching with the adopted versions comes
 * to an end.
 */
export class Adoptions {
  readonly #cache: Cache;
  readonly #objects = new Map<string, AdoptedObject | null>();
  readonly #found = new Map<string, CurrentContent>();

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  get objects(): AdoptedObjects {
    return this.#objects;
  }

  /**
   * Fetches the current version under an entry's path and adopts it. If there is no object any more, records
   * that. Rejects with the store's error.
   */
  async take({ generation, bound }: FetchTarget, index: number, signal: Stop): Promise<void> {
    const path = generation.path(index);
    const nameOf = (etag: string, size: number): string => versionName(path, etag, size);
    try {
      const found = await this.#cache.fetchCurrent(path, { nameOf, limitBytes: bound, signal });
      const { etag, size } = found.version;
      this.#found.set(path, found);
      this.#objects.set(path, { etag, size, lastModified: found.lastModified });
    } catch (error) {
      if (codeOf(error) !== 'gone') throw error;
      this.#objects.set(path, null);
    }
  }

  /**
   * Records in the target where the content of adopted versions is, so that no adopted version is fetched
   * again.
   */
  note({ generation, content }: FetchTarget): void {
    for (const [path, { version, located }] of this.#found) {
      const index = generation.find(path);
      if (index === -1 || generation.versionName(index) !== version.name) continue;
      if (located?.kind === 'local') content.setLocal(index, located.fingerprint);
      else if (version.size > 0) content.marks[index] = MARK.noRoom;
    }
  }

  /** Tells the cache which adopted versions are not shown, because these must not occupy the cache. */
  release(shown: Generation | undefined): void {
    for (const [path, { version }] of this.#found) {
      if (!isShown(shown, { path, name: version.name })) this.#cache.hide(version);
    }
  }
}
