import type { ByteCount, NodeId } from './numbers.ts';

/** The attributes of a node. Integers below 2^53; 32 bits where linux/fuse.h has 32. */
export interface Attributes {
  readonly ino: NodeId;
  readonly size: ByteCount;
  /** In blocks of 512 bytes. */
  readonly blocks: number;
  /** Since the epoch. Also sent as atime and ctime. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Permissions and file type (S_IFDIR or S_IFREG). */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly blksize: ByteCount;
}

/** A reusable object that is filled for each entry, so that a listing allocates nothing. */
export type MutableAttributes = { -readonly [Field in keyof Attributes]: Attributes[Field] };

/** The whole filesystem's figures, as statfs(2) has them. */
export interface StatfsFigures {
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  /** Bytes. */
  readonly bsize: ByteCount;
  /** Bytes. */
  readonly namelen: ByteCount;
  /** Bytes. */
  readonly frsize: ByteCount;
}
