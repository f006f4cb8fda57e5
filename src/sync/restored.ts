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
  /** The whole second of its publication: the next one is later. */
  readonly lastSecond: number;
  readonly nextNodeId: number;
  /** Empty for a new mount: then the kernel holds nothing. */
  readonly removedDirectories: ReadonlyMap<string, number>;
  readonly replaced: readonly ReplacedInode[];
  readonly peaks: readonly PeakEntry[];
  readonly history: readonly HistoryEntry[];
  /** Undefined: it was not kept, and differences are available only from here on. */
  readonly changeLog?: ChangeLog | undefined;
  readonly release?: ReleaseStep | undefined;
  /** Set if the session already shows the generation: the state that it reads. */
  readonly content?: ContentState | undefined;
}
