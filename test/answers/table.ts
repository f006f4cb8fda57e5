import { contents } from './rows/contents.ts';
import { etags } from './rows/etags.ts';
import { listings } from './rows/listings.ts';
import { statuses } from './rows/statuses.ts';
import { transfers } from './rows/transfers.ts';
import type { Place, Row } from './seen.ts';

/** What a store may answer, and what is seen of it in each place. */
export const table: readonly Row[] = [...statuses, ...transfers, ...contents, ...etags, ...listings];

export const places: readonly Place[] = ['listing', 'first', 'later', 'range'];
