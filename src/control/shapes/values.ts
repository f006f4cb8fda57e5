import * as z from 'zod/mini';

/** The values that shapes are made of. Times are RFC 3339 in UTC, sizes bytes, durations seconds. */
export const count = z.int().check(z.gte(0));
export const seconds = z.number().check(z.gte(0));
export const time = z.iso.datetime();
export const generationId = z.string().check(z.regex(/^[0-9a-f]{32}$/));
/** Of a list: what its next page begins after; null at its end. */
export const next = z.nullable(z.string());
/** How long an answer may be waited for, 60 unless given. */
export const timeoutSeconds = z.optional(z.number().check(z.gte(1), z.lte(3600)));

/** What status and GET /v1/cache both say of the cache. */
export const cacheCounts = {
  entries: count,
  bytes: count,
  limitBytes: count,
  hits: count,
  misses: count,
  evictions: count,
  corrupt: count,
  /** Blobs that are not evicted: pinned ones, and replaced versions that a reader still has open. */
  pinned: count,
  /** Yet to be fetched before anybody asks for it. */
  pendingFiles: count,
  pendingBytes: count,
};
