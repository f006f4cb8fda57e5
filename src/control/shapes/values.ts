import * as z from 'zod/mini';

/** The values in shapes. Times are RFC 3339 in UTC, sizes bytes, durations seconds. */
export const count = z.int().check(z.gte(0));
export const seconds = z.number().check(z.gte(0));
export const time = z.iso.datetime();
export const generationId = z.string().check(z.regex(/^[0-9a-f]{32}$/));
/** The value for `after` of the next page; null at the end of the list. */
export const next = z.nullable(z.string());
/** How long to wait for the answer, in seconds; 60 by default. */
export const timeoutSeconds = z.optional(z.number().check(z.gte(1), z.lte(3600)));

/** The values of the cache that status and GET /v1/cache share. */
export const cacheCounts = {
  entries: count,
  bytes: count,
  limitBytes: count,
  hits: count,
  misses: count,
  evictions: count,
  corrupt: count,
  /**
   * Blobs that are not evicted: those that a client pinned, and replaced versions that a reader still has
   * open.
   */
  pinned: count,
  /** The content that is still to be prefetched. */
  pendingFiles: count,
  pendingBytes: count,
};
