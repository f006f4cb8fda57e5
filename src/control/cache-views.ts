import type { BlobItem, CacheTotals, PathResult, Verified } from './shapes/cache.ts';

/**
 * Operations on the cache. Paths are relative to the prefix; a directory means everything in it. With `version`, they
 * are paths of that version; throws RefusedRequest if it is not shown.
 */
export interface CacheViews {
  totals(): CacheTotals;
  /**
   * The most recently used first.
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
  /** Ends when the signal aborts: content that is not local by then counts as failed. */
  prefetch(paths: readonly string[], signal: AbortSignal, version?: string): Promise<PathResult[]>;
  /** Rejects when the daemon ends. */
  verify(): Promise<Verified>;
}
