import { LRUCache } from 'lru-cache';
import type { Blob } from './blob.ts';

/**
 * The blobs of one rank, least recently used first. lru-cache keeps their order and their total size, but is
 * set to evict nothing, because BlobIndex decides which blobs of all ranks are evicted.
 */
export class Recency {
  readonly #blobs = new LRUCache<string, Blob>({
    maxSize: Number.MAX_SAFE_INTEGER,
    sizeCalculation: (blob) => blob.bytes,
  });
  #newest = Number.NEGATIVE_INFINITY;
  #ordered = true;

  get bytes(): number {
    return this.#blobs.calculatedSize;
  }

  get size(): number {
    return this.#blobs.size;
  }

  /** Inserts a blob at the position that its `used` gives. */
  add(blob: Blob): void {
    if (blob.used < this.#newest) this.#ordered = false;
    else this.#newest = blob.used;
    this.#blobs.set(blob.key, blob);
  }

  peek(key: string): Blob | undefined {
    return this.#blobs.peek(key);
  }

  touch(blob: Blob): void {
    this.#newest = blob.used;
    this.#blobs.get(blob.key);
  }

  delete(key: string): void {
    this.#blobs.delete(key);
  }

  oldest(): Blob | undefined {
    this.#order();
    const { value } = this.#blobs.rvalues().next();
    return value === undefined ? undefined : value;
  }

  /** Lists the blobs in their current order, least recently used first. */
  list(): readonly Blob[] {
    this.#order();
    return present(this.#blobs.rvalues());
  }

  /**
   * Lists the blobs in the order in which they were added or used last. Unlike list() it does not sort blobs
   * that were not added in the order of their use.
   */
  listAsAdded(): readonly Blob[] {
    return present(this.#blobs.rvalues());
  }

  /**
   * Sorts the blobs by `used`, if they were added in another order. This happens once after a start, when
   * blobs get their rank in the order in which trees show them.
   */
  #order(): void {
    if (this.#ordered) return;
    const blobs = present(this.#blobs.rvalues());
    blobs.sort((one, other) => one.used - other.used);
    this.#blobs.clear();
    for (const blob of blobs) this.#blobs.set(blob.key, blob);
    this.#ordered = true;
    this.#newest = blobs.at(-1)?.used ?? Number.NEGATIVE_INFINITY;
  }
}

/**
 * Leaves out undefined values. lru-cache has such values only if it fetches by itself, which is not used
 * here.
 */
function present(values: Iterable<Blob | undefined>): Blob[] {
  const blobs: Blob[] = [];
  for (const blob of values) if (blob !== undefined) blobs.push(blob);
  return blobs;
}
