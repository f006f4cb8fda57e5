import type { BlobItem, CacheTotals, PathResult, Verified } from './shapes/cache.ts';

/**
 * Operations on the cache. Paths are relative to the prefix; the path of a directory means everything in it.
 * With `version` (the id of an earlier release), paths are those in that version; an operation throws
 * RefusedRequest if the mount does not show that version.
 */
export interface CacheViews {
  totals(): CacheTotals;
  /**
   * Returns blobs of the cache, the most recently used first.
   *
   * @param before the `next` of an earlier page
   */
  blobs(
    before: number | undefined,
    limit: number,
  ): { readonly items: readonly BlobItem[]; readonly next: number | undefined };
  evict(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]>;
  pin(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]>;
  unpin(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]>;
  /**
   * Fetches content, and waits until it is local or the signal aborts. Content that is not local by then
   * counts as failed.
   */
  prefetch(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]>;
  /** Reads and checks the whole cache. Rejects if the daemon ends meanwhile. */
  verify(): Promise<Verified>;
}
