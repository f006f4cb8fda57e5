import { LRUCache } from 'lru-cache';
import type { Blob } from './blob.ts';

/**
 * Blobs of one rank, least recently used first. lru-cache keeps order and weight but evicts nothing: the index
 * decides evictions over all ranks.
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

  /** Inserts it at the position given by `used`. */
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

  /** Oldest first, in the current order. */
  list(): readonly Blob[] {
    this.#order();
    return present(this.#blobs.rvalues());
  }

  /** In the order of adding or use; the same as the order of use if they were added in that order. */
  listAsAdded(): readonly Blob[] {
    return present(this.#blobs.rvalues());
  }

  /** Needed once after a start, when blobs get their rank in the order in which they are shown. */
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

/** The values of lru-cache may be undefined if it fetches by itself, which is not used here. */
function present(values: Iterable<Blob | undefined>): Blob[] {
  const blobs: Blob[] = [];
  for (const blob of values) if (blob !== undefined) blobs.push(blob);
  return blobs;
}
