import * as z from 'zod/mini';
import { versionShape } from './entries.ts';
import { cacheCounts, count, next, timeoutSeconds } from './values.ts';

const share = z.strictObject({ entries: count, bytes: count });

/** The totals of the cache. Entries are blobs: whole files, and the parts of 8 MiB of larger ones. */
export const cacheShape = z.strictObject({
  directory: z.string(),
  ...cacheCounts,
  pinnedBytes: count,
  /** Paths that POST /v1/cache/pin named. */
  pinnedPaths: count,
  /** Fetched content that was not kept: no room, or the disk did not accept it. */
  passedThrough: count,
  /** Evicted first is `hidden`, then `beside`, then `past`; `kept` stays. */
  ranks: z.strictObject({
    /** Content of versions that are not shown. */
    hidden: share,
    /** Content of versions that are shown only beside the current tree. */
    beside: share,
    /** Past the prefetch bound. */
    past: share,
    /** Shown within the bound, or pinned. */
    kept: share,
  }),
  degraded: z.array(z.enum(['cache-unwritable', 'cache-full', 'cache-too-small'])),
});

export const blobShape = z.strictObject({
  /** 32 hex digits of the version's name; with a dot and the number of its part for a part. */
  key: z.string(),
  /** Null if the blob's file cannot be read, as are the next two fields. */
  path: z.nullable(z.string()),
  etag: z.nullable(z.string()),
  /** The size of the whole file. */
  size: z.nullable(count),
  /** The number of the part, from 0, if the file has more than 8 MiB. */
  chunk: z.nullable(count),
  bytes: count,
  rank: z.enum(['hidden', 'beside', 'past', 'kept']),
  pinned: z.boolean(),
  /** Whether this process has checked its content. */
  verified: z.boolean(),
});

/** The most recently used first. */
export const blobsShape = z.strictObject({ items: z.array(blobShape), next });

const paths = z.array(z.string().check(z.maxLength(8192))).check(z.minLength(1), z.maxLength(1_000));

/** A directory stands for all that is in it, '' for the whole tree. */
export const pathsRequestShape = z.strictObject({ paths, version: versionShape });
export const prefetchRequestShape = z.strictObject({ paths, version: versionShape, timeoutSeconds });
export const emptyRequestShape = z.strictObject({});

export const pathResultShape = z.strictObject({
  path: z.string(),
  /** `unchanged`: already in that state. `failed`: for at least one file. */
  outcome: z.enum(['done', 'unchanged', 'failed']),
  /** Files that were evicted, pinned, unpinned or fetched. */
  files: count,
  /** The size of the content of these files. */
  bytes: count,
  /**
   * Why it failed: not-found, not-pinned, not-pinnable, pinned, too-many, timed-out, no-room, or a code of the store.
   */
  code: z.nullable(z.string()),
  detail: z.nullable(z.string()),
});

/** What was done, in the order of the paths. */
export const pathResultsShape = z.strictObject({ items: z.array(pathResultShape) });

export const verifiedShape = z.strictObject({
  /** Blobs that were read. */
  blobs: count,
  bytes: count,
  /** Blobs that differed from what was stored; each was removed. */
  corrupt: count,
  /** The first 1,000 of them; `path` is null if the tree does not show that version. */
  removed: z.array(z.strictObject({ key: z.string(), path: z.nullable(z.string()) })),
});

export type CacheTotals = z.infer<typeof cacheShape>;
export type BlobItem = z.infer<typeof blobShape>;
export type Blobs = z.infer<typeof blobsShape>;
export type PathResult = z.infer<typeof pathResultShape>;
export type PathResults = z.infer<typeof pathResultsShape>;
export type Verified = z.infer<typeof verifiedShape>;
