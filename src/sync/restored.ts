import type { ReleaseStep } from '../source/source.ts';
import type { Generation, Problem } from '../tree/index.ts';
import type { ChangeLog } from './change-log.ts';
import type { ContentState } from './content-state.ts';
import type { HistoryEntry } from './history.ts';
import type { PeakEntry } from './peak-files.ts';
import type { ReplacedInode } from './replaced-inode.ts';

/** The publication of an earlier process, read back. */
export interface Restored {
  readonly generation: Generation;
  readonly problems: readonly Problem[];
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  /** The whole second of this publication. The next publication is in a later second. */
  readonly lastSecond: number;
  readonly nextNodeId: number;
  /**
   * The node ids of removed directories, by path. Empty for a new mount, because the kernel holds nothing of
   * it.
   */
  readonly removedDirectories: ReadonlyMap<string, number>;
  readonly replaced: readonly ReplacedInode[];
  readonly peaks: readonly PeakEntry[];
  readonly history: readonly HistoryEntry[];
  /** Undefined if it was not kept. Then differences are available only from here on. */
  readonly changeLog?: ChangeLog | undefined;
  readonly release?: ReleaseStep | undefined;
  /** The content state that the session reads, if the session already shows the generation. */
  readonly content?: ContentState | undefined;
}
