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
  /** The release of the items, if the source is a release. */
  release: z.optional(pastReleaseShape),
});

/** `version`: the id of a shown version; the request then is about its tree instead of the current one. */
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
   * The whole object key; for a directory, the beginning of its keys. In a release, the key of the file's pack; null
   * for empty files and directories, which have no object.
   */
  key: z.nullable(z.string()),
  /** In a release, the range of the content in that object, a pack of many. Absent: the whole object. */
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
  /** The version whose tree has it; absent: the current tree has it. */
  version: z.optional(z.string()),
  /** The generation that this answer is about; for a version, its number is 0. */
  generation: z.strictObject({ id: generationId, number: count }),
  firstVisible: z.strictObject({
    /** When this content became visible; for a directory, its last change. */
    at: time,
    /** Null if that was before the beginning of the history. */
    generation: z.nullable(
      z.strictObject({
        id: generationId,
        number: count,
        /** The release that showed it, if the source is a release. */
        release: z.optional(pastReleaseShape),
      }),
    ),
  }),
  /** Null for a directory. */
  cached: z.nullable(z.boolean()),
  /** The size of the part of the content that is on the local disk. */
  cachedBytes: count,
  /** The digest of the content on the local disk, in hex digits; null if that is incomplete or over 64 MiB. */
  checksum: z.nullable(
    z.strictObject({ algorithm: z.literal('sha256'), value: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
  ),
  /** Whether a client pinned the path, or a directory above it, in the cache. */
  pinned: z.boolean(),
  nodeIds: z.strictObject({
    /** The inode number that the mount shows. */
    current: count,
    /** Those of replaced versions of this path that the kernel still holds; at most 100. */
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
