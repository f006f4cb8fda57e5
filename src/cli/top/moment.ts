import type { Changes, HistoryItem, Status } from '../../control/shapes/status.ts';
import type { Scrape } from './scrape.ts';

/** The daemon's answers at one moment. */
export interface Moment {
  readonly status: Status;
  readonly scrape: Scrape;
  /** The newest entry first; only as many as fit on a screen. */
  readonly history: readonly HistoryItem[];
  /**
   * The first changed paths of the newest generation; undefined if it is the only one, or its changes are no longer
   * stored.
   */
  readonly changes: Pick<Changes, 'added' | 'changed' | 'removed'> | undefined;
}
