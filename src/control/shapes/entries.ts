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
  /** The ETag as it was listed, without quotes; null for a directory. */
  etag: z.nullable(z.string()),
  mtime: time,
  /** Whether the file has the execute bits, by --executable or by the release; null for a directory. */
  executable: z.nullable(z.boolean()),
  /** Whether all of the content is on the local disk; null for a directory. */
  cached: z.nullable(z.boolean()),
});

export const entriesShape = z.strictObject({
  items: z.array(entryItemShape),
  next,
  /** The release that has these items, if the source is a release. */
  release: z.optional(pastReleaseShape),
});

/**
 * The id of a version (an earlier release) that the mount shows. The request is then about the tree of that
 * version instead of the current tree.
 */
export const versionShape = z.optional(z.string().check(z.maxLength(128)));

/** `prefix`: the beginning of the paths, compared by bytes: `a/` selects the content of the directory a. */
export const entriesQueryShape = z.extend(pageQueryShape, {
  prefix: z.optional(z.string().check(z.maxLength(8192))),
  version: versionShape,
});

export const entryQueryShape = z.strictObject({ version: versionShape });

/** What is known about one path. */
export const entryShape = z.strictObject({
  path: z.string(),
  kind: z.enum(['file', 'directory']),
  /**
   * The whole object key; for a directory, the beginning of its keys. In a release, the key of the pack that
   * has the file's content; null for empty files and for directories, which have no object.
   */
  key: z.nullable(z.string()),
  /**
   * In a release, the range of the file's content in that object, which is a pack of many contents. Absent if
   * the content is the whole object.
   */
  range: z.optional(z.strictObject({ offset: count, bytes: count })),
  size: count,
  /** The ETag as it was listed, without quotes; null for a directory. */
  etag: z.nullable(z.string()),
  /**
   * The store's id of the fetched object version; null if the store keeps no versions, or if no answer had
   * the id. Listings do not have it.
   */
  versionId: z.nullable(z.string()),
  /** The store's date of the object; null for a directory, and where the store lists none. */
  lastModified: z.nullable(time),
  mtime: time,
  /** Whether the file has the execute bits, by --executable or by the release; null for a directory. */
  executable: z.nullable(z.boolean()),
  /** The id of the version whose tree has the entry; absent if the current tree has it. */
  version: z.optional(z.string()),
  /** The generation that this answer is about; for a version, its number is 0. */
  generation: z.strictObject({ id: generationId, number: count }),
  firstVisible: z.strictObject({
    /** When this content became visible; for a directory, its last change. */
    at: time,
    /** The generation that first showed this content; null if it is older than the remembered history. */
    generation: z.nullable(
      z.strictObject({
        id: generationId,
        number: count,
        /** The release that this generation showed, if the source is a release. */
        release: z.optional(pastReleaseShape),
      }),
    ),
  }),
  /** Whether all of the content is on the local disk; null for a directory. */
  cached: z.nullable(z.boolean()),
  /** The size of the part of the content that is on the local disk. */
  cachedBytes: count,
  /**
   * The digest of the content on the local disk, in hex digits; null if the content there is incomplete or
   * over 64 MiB.
   */
  checksum: z.nullable(
    z.strictObject({ algorithm: z.literal('sha256'), value: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
  ),
  /** Whether a client pinned the path, or a directory above it, in the cache. */
  pinned: z.boolean(),
  nodeIds: z.strictObject({
    /** The inode number that the mount shows. */
    current: count,
    /** The inode numbers of replaced versions of this path that the kernel still holds; at most 100. */
    replaced: z.array(count),
  }),
  /** The entries of the key in GET /v1/problems. */
  problems: z.array(problemItemShape),
});

/** Codes of a 404 for a path that is not in the tree. `detail` names the rule or the reason. */
export const absenceCodes = ['never-seen', 'excluded', 'left-out', 'held'] as const;

export type EntryItem = z.infer<typeof entryItemShape>;
export type Entries = z.infer<typeof entriesShape>;
export type Entry = z.infer<typeof entryShape>;
export type AbsenceCode = (typeof absenceCodes)[number];
