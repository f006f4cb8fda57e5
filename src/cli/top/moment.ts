import type { Changes, HistoryItem, Status } from '../../control/shapes/status.ts';
import type { Scrape } from './scrape.ts';

/** The daemon's answers at one moment. */
export interface Moment {
  readonly status: Status;
  readonly scrape: Scrape;
  /** The publications, the newest first; only as many as fit on a screen. */
  readonly history: readonly HistoryItem[];
  /**
   * The first changed paths of the newest generation; undefined if that generation is the only one, or if its
   * changes are no longer stored.
   */
  readonly changes: Pick<Changes, 'added' | 'changed' | 'removed'> | undefined;
}
