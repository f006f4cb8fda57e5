import type { Generation } from '../tree/index.ts';
import type { ContentState } from './content-state.ts';

/** A tree whose content is to be made local. */
export interface FetchTarget {
  readonly generation: Generation;
  readonly content: ContentState;
  /** The largest file to fetch, bytes. */
  readonly bound: number;
}
