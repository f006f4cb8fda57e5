import * as z from 'zod/mini';
import { pastReleaseShape } from './release.ts';
import { pageQueryShape, problemItemShape } from './status.ts';
import { count, generationId, next, time } from './values.ts';

/** One line of the tree. Paths are below the prefix and have no slash at their ends. */
export const entryItemShape = z.strictObject({
  path: z.string(),
  kind: z.enum(['file', 'directory']),
  /** 0 for a directory. */
  size: count,
  /** As listed, without quotes; null for a directory. */
  etag: z.nullable(z.string()),
  mtime: time,
  /** Whether it has the execute bits, by --executable or by the release; null for a directory. */
  executable: z.nullable(z.boolean()),
  /** Whether all of the content is on the local disk; null for a directory. */
  cached: z.nullable(z.boolean()),
});

export const entriesShape = z.strictObject({
  items: z.array(entryItemShape),
  next,
  /** What the items are of, where the source is a release. */
  release: z.optional(pastReleaseShape),
});

/** `version`: the id of a version that is shown, whose tree is meant in place of the current one. */
export const versionShape = z.optional(z.string().check(z.maxLength(128)));

/** `prefix`: what the paths begin with, compared by bytes: `a/` is what is in the directory a. */
export const entriesQueryShape = z.extend(pageQueryShape, {
  prefix: z.optional(z.string().check(z.maxLength(8192))),
  version: versionShape,
});

export const entryQueryShape = z.strictObject({ version: versionShape });

/** Why one path is what it is. */
export const entryShape = z.strictObject({
  path: z.string(),
  kind: z.enum(['file', 'directory']),
  /**
   * The whole object key; of a directory what its keys begin with. Of a file of a release the key of its pack; null for its
   * empty files and its directories, which have no object.
   */
  key: z.nullable(z.string()),
  /** Where in that object the content is, of a release: the object is a pack of many. Absent: it is the whole object. */
  range: z.optional(z.strictObject({ offset: count, bytes: count })),
  size: count,
  /** As listed, without quotes; null for a directory. */
  etag: z.nullable(z.string()),
  /** If the store keeps versions and an answer contained the fetched one's id; listings do not contain it. */
  versionId: z.nullable(z.string()),
  /** The store's date of the object; null for a directory, and where the store lists none. */
  lastModified: z.nullable(time),
  mtime: time,
  /** Whether it has the execute bits, by --executable or by the release; null for a directory. */
  executable: z.nullable(z.boolean()),
  /** The version whose tree has it; absent: the current tree has. */
  version: z.optional(z.string()),
  /** The generation that this answer is of; of a version its number is 0. */
  generation: z.strictObject({ id: generationId, number: count }),
  firstVisible: z.strictObject({
    /** Of this content, or for a directory of its last change. */
    at: time,
    /** Null where that is longer ago than the history goes back. */
    generation: z.nullable(
      z.strictObject({
        id: generationId,
        number: count,
        /** By which it was shown, where the source is a release. */
        release: z.optional(pastReleaseShape),
      }),
    ),
  }),
  /** Null for a directory. */
  cached: z.nullable(z.boolean()),
  /** The SHA-256 of the content on the local disk. */
  cachedBytes: count,
  /** Of the content on the local disk, in hex digits; null where it is not all there, or larger than 64 MiB. */
  checksum: z.nullable(
    z.strictObject({ algorithm: z.literal('sha256'), value: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
  ),
  /** Whether it was asked to be kept in the cache, by itself or with a directory above it. */
  pinned: z.boolean(),
  nodeIds: z.strictObject({
    /** The inode number that the mount shows. */
    current: count,
    /** Of versions of this path that were replaced, and that the kernel still holds; at most 100. */
    replaced: z.array(count),
  }),
  /** The entry of its key in GET /v1/problems. */
  problems: z.array(problemItemShape),
});

/** Codes of a 404 for a path that is not in the tree. `detail` names the rule or the reason. */
export const absenceCodes = ['never-seen', 'excluded', 'left-out', 'held'] as const;

export type EntryItem = z.infer<typeof entryItemShape>;
export type Entries = z.infer<typeof entriesShape>;
export type Entry = z.infer<typeof entryShape>;
export type AbsenceCode = (typeof absenceCodes)[number];
