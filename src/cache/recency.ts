import { LRUCache } from 'lru-cache';
import type { Blob } from './blob.ts';

/**
 * Blobs of one rank, least recently used first. What goes when is decided by the index, over all ranks: lru-cache
 * keeps the order and the weight, and evicts nothing by itself.
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

  /** Adds it at the place in the order that its `used` gives. */
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

  /** Oldest first, as they are now. */
  list(): readonly Blob[] {
    this.#order();
    return present(this.#blobs.rvalues());
  }

  /** In the order in which they were added or used; the same, where they were added in the order of their use. */
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

/** lru-cache's values may be undefined where it fetches by itself, which it does not here. */
function present(values: Iterable<Blob | undefined>): Blob[] {
  const blobs: Blob[] = [];
  for (const blob of values) if (blob !== undefined) blobs.push(blob);
  return blobs;
}
