import { contents } from './rows/contents.ts';
import { etags } from './rows/etags.ts';
import { listings } from './rows/listings.ts';
import { statuses } from './rows/statuses.ts';
import { transfers } from './rows/transfers.ts';
import type { Place, Row } from './seen.ts';

/** What a store may answer, and what is seen of it in each place. */
export const table: readonly Row[] = [...statuses, ...transfers, ...contents, ...etags, ...listings];

export const places: readonly Place[] = ['listing', 'first', 'later', 'range'];

const isLong = process.env.DAGMOUNT_TEST_LONG !== undefined;

/**
 * The rows that run: all of them with `scripts/test --long`, otherwise every other one. Neighbours in the table are
 * variants of one another.
 */
export const rowsThatRun: readonly Row[] = table.filter((_, index) => isLong || index % 2 === 0);
