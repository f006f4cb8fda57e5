import { createHash } from 'node:crypto';
import type { ContentVersion } from '../base/content-version.ts';
import type { Blob, Rank } from './blob.ts';
import { blobKey } from './blob-path.ts';
import { chunkCount } from './chunks.ts';
import type { DiskCache } from './disk-cache.ts';
import { type BlobLabel, readBlobLabel } from './trailer.ts';
import { isFingerprint } from './verification.ts';

export interface RankTotals {
  readonly entries: number;
  /** Bytes of content. */
  readonly bytes: number;
}

export interface ListedBlob {
  readonly key: string;
  readonly bytes: number;
  readonly rank: Rank;
  readonly pinned: boolean;
  readonly verified: boolean;
  /** Undefined if the file has no readable label. */
  readonly label: BlobLabel | undefined;
}

/** Reads the cache's contents for inspection, which does not count as a use of the blobs. */
export class CacheInspection {
  readonly #disk: DiskCache;

  constructor(disk: DiskCache) {
    this.#disk = disk;
  }

  get ranks(): Readonly<Record<Rank, RankTotals>> {
    return this.#disk.index.totals;
  }

  /** Bytes of content in blobs of pinned versions. */
  get pinnedBytes(): number {
    return this.#disk.index.pinnedBytes;
  }

  /** Returns how many bytes of a version's content are on disk. */
  localBytes(version: Pick<ContentVersion, 'name' | 'size'>): number {
    let bytes = 0;
    for (const key of keysOf(version)) bytes += this.#disk.index.peek(key)?.bytes ?? 0;
    return bytes;
  }

  isPinned(name: string): boolean {
    return this.#disk.index.isPinned(name);
  }

  /** Removes a version's blobs, pinned or not. Returns the removed bytes of content. */
  evict(version: Pick<ContentVersion, 'name' | 'size'>): number {
    const before = this.localBytes(version);
    for (const key of keysOf(version)) this.#disk.index.evict(key);
    return before - this.localBytes(version);
  }

  /**
   * Lists up to `limit` blobs, most recently used first, from the position `before` on. `next` is the
   * position where the next page starts; undefined on the last page. A blob that is used between two pages
   * moves before that position, so it does not appear twice.
   */
  blobs(
    before: number,
    limit: number,
  ): { readonly blobs: readonly ListedBlob[]; readonly next: number | undefined } {
    const { index } = this.#disk;
    const all = index.inOrder().flatMap(({ rank, blobs }) => blobs.map((blob) => ({ rank, blob })));
    // Sorting numbers is some ten times as fast as sorting blobs: 8 ms for 100,000 numbers.
    const uses = Float64Array.from(all, ({ blob }) => blob.used)
      .filter((used) => used < before)
      .sort();
    const lowest = uses[Math.max(0, uses.length - limit)] ?? 0;
    const page = all.filter(({ blob: { used } }) => used < before && used >= lowest);
    page.sort((one, other) => other.blob.used - one.blob.used);
    return {
      blobs: page.map(({ rank, blob }) => this.#listed(rank, blob)),
      next: uses.length > limit ? lowest : undefined,
    };
  }

  /**
   * Returns the SHA-256 of a version's content, in hex digits; undefined if a part is not on disk or is
   * corrupt. Rejects with the signal's reason.
   */
  async checksum(version: ContentVersion, signal: AbortSignal): Promise<string | undefined> {
    const hash = createHash('sha256');
    for (const key of keysOf(version)) {
      signal.throwIfAborted();
      const blob = this.#disk.index.peek(key);
      const content = blob && (await this.#disk.contentOf(blob));
      if (content === undefined) return undefined;
      hash.update(content);
    }
    return hash.digest('hex');
  }

  #listed(rank: Rank, blob: Blob): ListedBlob {
    const { key, bytes, fileBytes, fingerprint, name } = blob;
    const label = readBlobLabel(this.#disk.pathOf(key), bytes, fileBytes);
    return { key, bytes, rank, pinned: this.isPinned(name), verified: isFingerprint(fingerprint), label };
  }
}

/** Yields the keys of all blobs that a version may have. */
function* keysOf({ name, size }: Pick<ContentVersion, 'name' | 'size'>): Generator<string> {
  const chunks = chunkCount(size);
  if (chunks === undefined) yield blobKey(name, undefined);
  else for (let chunk = 0; chunk < chunks; chunk++) yield blobKey(name, chunk);
}
