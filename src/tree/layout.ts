import { TreeError } from './tree-error.ts';

/** Increases with every change of the bytes below, or of the hash for cookies. */
export const FORMAT_VERSION = 1;
/**
 * "DAGT" and "REE1" on a little-endian host. The magic is written and read in the byte order of the host, as
 * the columns are, so a host of the other byte order refuses the bytes. The rest of the header is
 * little-endian.
 */
export const MAGIC: readonly [number, number] = [0x54474144, 0x31454552];
export const HEADER_BYTES = 128;
export const ID_BYTES = 16;

/** Stands for no entry in the origins of a diff, and for a directory in the positions of a draft. */
export const NONE = 0xffffffff;

export const FLAG_DIRECTORY = 1;
export const FLAG_ARCHIVED = 2;
/**
 * The ETag is 32 lower-case hex digits, and its slot has them as 16 bytes. Without this flag, the slot points
 * to the heap.
 */
export const FLAG_PACKED_ETAG = 4;

/** A file that has the execute bits. */
export const FLAG_EXECUTABLE = 8;

/**
 * The content is identified by its SHA-256. The slot of the ETag points to that SHA-256 and to that of the
 * pack, and has the offset of the content in the pack.
 */
export const FLAG_DIGEST = 16;
/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;

/** Byte offsets within the header. */
export const HEADER = {
  format: 8,
  entries: 12,
  files: 16,
  directories: 20,
  problems: 24,
  heapBytes: 28,
  saltLow: 32,
  saltHigh: 36,
  number: 40,
  bytes: 48,
  id: 56,
  /** 1 if every file has FLAG_DIGEST, otherwise 0. */
  released: 72,
} as const;

/**
 * The offset of each column in the buffer. All offsets follow from the two counts in the header (of entries
 * and of heap bytes), so a file contains no offsets that could be damaged. An entry takes 85 bytes, plus its
 * name (and its ETag, if that is not an MD5).
 */
export interface Layout {
  readonly nodeIds: number;
  readonly sizes: number;
  readonly parents: number;
  readonly nameStarts: number;
  readonly childStarts: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly lastModified: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly byNode: number;
  readonly versions: number;
  readonly etags: number;
  readonly flags: number;
  readonly heap: number;
  readonly byteLength: number;
}

/** Returns the layout for these counts. Throws TreeError `bad-state` if an offset would not fit 32 bits. */
export function layoutOf(entries: number, heapBytes: number): Layout {
  let offset = HEADER_BYTES;
  const column = (bytes: number): number => {
    const start = offset;
    offset += bytes;
    return start;
  };
  const layout = {
    nodeIds: column(8 * entries),
    sizes: column(8 * entries),
    parents: column(4 * entries),
    nameStarts: column(4 * (entries + 1)),
    childStarts: column(4 * (entries + 1)),
    mtimeSeconds: column(4 * entries),
    mtimeNanoseconds: column(4 * entries),
    lastModified: column(4 * entries),
    cookieHigh: column(4 * entries),
    cookieLow: column(4 * entries),
    byNode: column(4 * entries),
    versions: column(16 * entries),
    etags: column(16 * entries),
    flags: column(entries),
    heap: column(heapBytes),
  };
  if (offset >= NONE) throw new TreeError('bad-state', `a tree of ${entries} entries is too large`);
  return { ...layout, byteLength: offset };
}
