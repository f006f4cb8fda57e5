import type { ChangeLog } from './change-log.ts';
import type { HistoryEntry } from './history.ts';
import type { PeakEntry } from './peak-files.ts';

/** The records after one publication. */
export interface NextRecords {
  readonly number: number;
  readonly nextNodeId: number;
  readonly peaks: readonly PeakEntry[];
  readonly history: readonly HistoryEntry[];
  /** The paths that the last publications changed. */
  readonly changeLog: ChangeLog;
}
