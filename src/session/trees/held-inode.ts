import type { ContentVersion } from '../../tree/index.ts';

/**
 * What a node id stands for once no shown entry has it: the kernel goes on asking for it while a process
 * holds it open, maps it or stands in it. Copied out, so that no old generation stays in memory for it.
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
  /** Where it was; undefined of a directory that a predecessor has seen go. */
  readonly path: string | undefined;
  /** The store's date, seconds since the epoch; 0 for a directory, and where it is not known. */
  readonly lastModified: number;
  readonly version: ContentVersion | undefined;
  /** The blob's fingerprint when the inode was replaced; ABSENT when it was not known to be local. */
  readonly fingerprint: bigint;
}
