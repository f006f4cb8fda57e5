import type { ContentVersion } from '../tree/index.ts';
import type { Instant } from './instant.ts';

/** An inode of an earlier tree that the kernel may still hold, as it was shown. */
export interface ReplacedInode {
  readonly nodeId: number;
  readonly directory: boolean;
  readonly archived: boolean;
  readonly executable: boolean;
  readonly parentId: number;
  readonly path: string;
  /** Undefined for a directory. */
  readonly version: ContentVersion | undefined;
  /** The store's date, seconds since the epoch; 0 for a directory, and if unknown. */
  readonly lastModified: number;
  /**
   * Since the epoch. Undefined for a directory that the current publication removes: its mtime will be the
   * instant of that publication.
   */
  readonly mtime: Instant | undefined;
}
