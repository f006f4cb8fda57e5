import type { Changes, HistoryItem, Status } from '../../control/shapes/status.ts';
import type { Scrape } from './scrape.ts';

/** The daemon's answers at one moment. */
export interface Moment {
  readonly status: Status;
  readonly scrape: Scrape;
  /** The newest first; only as many as fit a screen. */
  readonly history: readonly HistoryItem[];
  /** Of the newest of them, the first paths; undefined where it is the only one, or they are not kept. */
  readonly changes: Pick<Changes, 'added' | 'changed' | 'removed'> | undefined;
}
