import type { ContentVersion } from '../../tree/index.ts';

/**
 * The meaning of a node id that no shown entry has any more. The kernel continues to ask for it while a process holds
 * it open, maps it or has it as its working directory. This is a copy, so that no old generation stays in memory for
 * it.
 */
export interface HeldInode {
  readonly nodeId: number;
  readonly directory: boolean;
  readonly archived: boolean;
  readonly executable: boolean;
  readonly parentId: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Its last path; undefined for a directory that was removed while a predecessor served. */
  readonly path: string | undefined;
  /** The store's date in seconds since the epoch; 0 for a directory, or if unknown. */
  readonly lastModified: number;
  readonly version: ContentVersion | undefined;
  /** The blob's fingerprint when the inode was replaced; ABSENT if it was not known to be local. */
  readonly fingerprint: bigint;
}
