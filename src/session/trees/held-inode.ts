import type { ContentVersion } from '../../tree/index.ts';

/**
 * A file version or directory that no shown generation contains any more. The kernel continues to use its
 * node id while a process has it open, mapped, or as its working directory. The object copies the entry's
 * data, so that no old generation stays in memory for it.
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
  /** The last path; undefined for a directory that was removed while a predecessor served. */
  readonly path: string | undefined;
  /** The store's date in seconds since the epoch; 0 for a directory, or if the store gave no date. */
  readonly lastModified: number;
  readonly version: ContentVersion | undefined;
  /**
   * The fingerprint of the blob when the entry was replaced; ABSENT if the content was not known to be local.
   */
  readonly fingerprint: bigint;
}
