import type { ListingColumns } from './list-columns.ts';
import { corrupt, tooManyObjects } from './list-errors.ts';
import type { ListingRun, PageReader } from './list-page-reader.ts';
import type { ListingPage } from './list-scanner.ts';

/** A part of the key space: what lies behind `startAfter`, up to and including `boundary`. */
export interface KeyRange {
  /** A whole key, prefix included; undefined: from the beginning. */
  readonly startAfter: string | undefined;
  /** The bytes of `startAfter` below the prefix. */
  readonly startBytes: Uint8Array | undefined;
  /** The bytes of a key below the prefix; undefined: to the end. */
  readonly boundary: Uint8Array | undefined;
}

export const WHOLE_RANGE: KeyRange = { startAfter: undefined, startBytes: undefined, boundary: undefined };

export interface RangeListing {
  /** Whether every key was greater than the one before it, and than `startAfter`; compared by bytes. */
  readonly ordered: boolean;
  /** The first key that came behind the boundary, and was left out. */
  readonly firstBeyond: Uint8Array | undefined;
  /** Whether the store said that no key follows. */
  readonly ended: boolean;
  /** The most objects that one page held which was not the last. */
  readonly pageRows: number;
}

/** S3 may send pages without objects (behind many delete markers), but not without end. */
const MAX_EMPTY_PAGES = 100;

/**
 * Adds the objects of `range` to `columns`, page by page. Stops early when `goOn` says so of a page that is not
 * the last.
 */
export async function readRange(
  reader: PageReader,
  columns: ListingColumns,
  range: KeyRange,
  run: ListingRun,
  bounds: { readonly maxObjects: number; readonly goOn: (page: ListingPage, ordered: boolean) => boolean },
): Promise<RangeListing> {
  const start = columns.count;
  const tokens = new Set<string>();
  let emptyPages = 0;
  let ordered = true;
  let pageRows = 0;
  let query: { startAfter?: string; continuationToken?: string } =
    range.startAfter === undefined ? {} : { startAfter: range.startAfter };
  for (;;) {
    const first = columns.count;
    const page = await reader.read(query, columns, run);
    if (columns.count > bounds.maxObjects) throw tooManyObjects(bounds.maxObjects);
    ordered &&= isInOrder(columns, first, start, range.startBytes);
    const beyond = range.boundary === undefined ? columns.count : firstBeyond(columns, first, range.boundary);
    if (beyond < columns.count) {
      const key = columns.key(beyond).slice();
      columns.truncate(beyond);
      return { ordered, firstBeyond: key, ended: false, pageRows };
    }
    if (page.token === undefined) return { ordered, firstBeyond: undefined, ended: true, pageRows };
    pageRows = Math.max(pageRows, page.rows);
    const last = columns.count - 1;
    const reached =
      range.boundary !== undefined && last >= start && compareKeys(columns.key(last), range.boundary) === 0;
    if (reached || !bounds.goOn(page, ordered))
      return { ordered, firstBeyond: undefined, ended: false, pageRows };

    emptyPages = page.rows === 0 ? emptyPages + 1 : 0;
    if (emptyPages > MAX_EMPTY_PAGES)
      throw corrupt(`the listing goes on for ${emptyPages} pages without an object`);
    if (tokens.has(page.token))
      throw corrupt('the listing comes back to where it was: a continuation token repeats');
    tokens.add(page.token);
    query = { continuationToken: page.token };
  }
}

export function compareKeys(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(left, right);
}

function isInOrder(
  columns: ListingColumns,
  first: number,
  start: number,
  after: Uint8Array | undefined,
): boolean {
  if (first === columns.count) return true;
  if (first === start) {
    if (after !== undefined && compareKeys(columns.key(first), after) <= 0) return false;
    return columns.isOrderedFrom(first + 1);
  }
  return columns.isOrderedFrom(first);
}

/** The first row from `first` on whose key is greater than `boundary`. */
function firstBeyond(columns: ListingColumns, first: number, boundary: Uint8Array): number {
  const last = columns.count - 1;
  if (last < first || compareKeys(columns.key(last), boundary) <= 0) return columns.count;
  let row = first;
  while (compareKeys(columns.key(row), boundary) <= 0) row++;
  return row;
}
