import * as z from 'zod/mini';
import { versionShape } from './entries.ts';
import { cacheCounts, count, next, timeoutSeconds } from './values.ts';

const share = z.strictObject({ entries: count, bytes: count });

/** The totals of the cache. Entries are blobs: whole files, and the parts of 8 MiB of larger ones. */
export const cacheShape = z.strictObject({
  directory: z.string(),
  ...cacheCounts,
  pinnedBytes: count,
  /** Number of paths that POST /v1/cache/pin named. */
  pinnedPaths: count,
  /**
   * Number of contents that were fetched but not kept, because there was no room or the disk did not accept
   * them.
   */
  passedThrough: count,
  /** The blobs by rank. The cache evicts `hidden` first, then `beside`, then `past`; `kept` stays. */
  ranks: z.strictObject({
    /** Content of versions that are not shown. */
    hidden: share,
    /** Content of versions that are shown only beside the current tree. */
    beside: share,
    /** Shown content past the prefetch bound. */
    past: share,
    /** Shown content within the prefetch bound, and pinned content. */
    kept: share,
  }),
  degraded: z.array(z.enum(['cache-unwritable', 'cache-full', 'cache-too-small'])),
});

export const blobShape = z.strictObject({
  /**
   * The name of the object's version in the cache, 32 hex digits. For a part of a larger file, a dot and the
   * number of the part follow.
   */
  key: z.string(),
  /** The path of the file; null if the blob's file cannot be read. The next two fields are then null, too. */
  path: z.nullable(z.string()),
  etag: z.nullable(z.string()),
  /** The size of the whole file. */
  size: z.nullable(count),
  /** The number of the part, from 0, if the file has more than 8 MiB. */
  chunk: z.nullable(count),
  bytes: count,
  rank: z.enum(['hidden', 'beside', 'past', 'kept']),
  pinned: z.boolean(),
  /** Whether this process has checked the blob's content. */
  verified: z.boolean(),
});

/** The blobs, the most recently used first. */
export const blobsShape = z.strictObject({ items: z.array(blobShape), next });

const paths = z.array(z.string().check(z.maxLength(8192))).check(z.minLength(1), z.maxLength(1_000));

/** The path of a directory stands for everything in it, and '' for the whole tree. */
export const pathsRequestShape = z.strictObject({ paths, version: versionShape });
export const prefetchRequestShape = z.strictObject({ paths, version: versionShape, timeoutSeconds });
export const emptyRequestShape = z.strictObject({});

export const pathResultShape = z.strictObject({
  path: z.string(),
  /**
   * `unchanged`: the path was in the requested state already. `failed`: the action failed for at least one
   * file.
   */
  outcome: z.enum(['done', 'unchanged', 'failed']),
  /** Number of files that were evicted, pinned, unpinned or fetched. */
  files: count,
  /** The size of the content of these files. */
  bytes: count,
  /**
   * Why the action failed: not-found, not-pinned, not-pinnable, pinned, too-many, timed-out, no-room, or a
   * code of the store.
   */
  code: z.nullable(z.string()),
  detail: z.nullable(z.string()),
});

/** What was done for each path, in the order of the paths. */
export const pathResultsShape = z.strictObject({ items: z.array(pathResultShape) });

export const verifiedShape = z.strictObject({
  /** Number of blobs that were read. */
  blobs: count,
  bytes: count,
  /** Number of blobs that differed from what was stored. Each of them was removed. */
  corrupt: count,
  /**
   * The first 1,000 of the corrupt blobs; `path` is null if the tree does not show the object version of the
   * blob.
   */
  removed: z.array(z.strictObject({ key: z.string(), path: z.nullable(z.string()) })),
});

export type CacheTotals = z.infer<typeof cacheShape>;
export type BlobItem = z.infer<typeof blobShape>;
export type Blobs = z.infer<typeof blobsShape>;
export type PathResult = z.infer<typeof pathResultShape>;
export type PathResults = z.infer<typeof pathResultsShape>;
export type Verified = z.infer<typeof verifiedShape>;
