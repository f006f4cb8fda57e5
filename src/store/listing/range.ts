import { isUtf8 } from 'node:buffer';
import type { ListingColumns } from './columns.ts';
import { corrupt, quotedKey, tooManyObjects } from './errors.ts';
import { MAX_KEY_BYTES } from './key.ts';
import type { ListingRun, PageReader } from './page-reader.ts';
import type { ListingPage } from './scanner.ts';
import { Whereabouts } from './whereabouts.ts';

/** A part of the key space: the keys after `startAfter`, up to and including `boundary`. */
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
  /**
   * Whether every key was greater, by its bytes, than the key before it, and the first one than `startAfter`.
   */
  readonly ordered: boolean;
  /** The first key after the boundary. It is not in the columns. Undefined: no such key was read. */
  readonly firstBeyond: Uint8Array | undefined;
  /** Whether no key follows: the store said so, or answered with an empty or repeated page instead. */
  readonly ended: boolean;
  /** The largest number of objects on a page that was not the last page. */
  readonly pageRows: number;
}

/** Objects in a full page of S3. */
const FULL_PAGE_ROWS = 1_000;

/** Whether a page of this many objects that does not have IsTruncated can be the only page. */
export function mayBeAll(rows: number): boolean {
  return rows > 0 && rows < FULL_PAGE_ROWS;
}

/**
 * Adds the objects of `range` to `columns`, page by page. Stops early if `goOn` returns false for a page that
 * is not the last one.
 *
 * If a page is truncated but has no token, or does not say whether it is truncated, the next request asks for
 * the keys after the last key of that page (`start-after`).
 */
export async function readRange(
  reader: PageReader,
  columns: ListingColumns,
  range: KeyRange,
  run: ListingRun,
  bounds: { readonly maxObjects: number; readonly goOn: (page: ListingPage, ordered: boolean) => boolean },
): Promise<RangeListing> {
  const start = columns.count;
  const whereabouts = new Whereabouts(reader.prefix);
  let ordered = true;
  let pageRows = 0;
  let query: { startAfter?: string; continuationToken?: string } =
    range.startAfter === undefined ? {} : { startAfter: range.startAfter };
  /** Whether the previous page did not say if it was the last. */
  let isUnsaid = false;
  for (;;) {
    const first = columns.count;
    const page = await reader.read(query, columns, run);
    if (columns.count > bounds.maxObjects) throw tooManyObjects(bounds.maxObjects);
    if (first > start && query.startAfter !== undefined && !isBehind(columns, first)) {
      const key = columns.key(first);
      if (!isUnsaid || !mayBeAll(pageRows)) throw whereabouts.comesBackTo(key);
      // The store ignores StartAfter, and had sent all of its keys before.
      columns.truncate(first);
      return { ordered, firstBeyond: undefined, ended: true, pageRows: 0 };
    }
    ordered &&= isInOrder(columns, first, start, range.startBytes);
    const beyond = range.boundary === undefined ? columns.count : firstBeyond(columns, first, range.boundary);
    if (beyond < columns.count) {
      const key = columns.key(beyond).slice();
      columns.truncate(beyond);
      return { ordered, firstBeyond: key, ended: false, pageRows };
    }
    isUnsaid = page.truncated === undefined;
    // An empty page after other pages means that the range has ended. An empty first page proves nothing,
    // because the store may have lost its answer.
    const isEmptyRest = page.rows === 0 && (first > start || query.startAfter !== undefined);
    if (page.truncated === false || (isUnsaid && isEmptyRest))
      return { ordered, firstBeyond: undefined, ended: true, pageRows };
    pageRows = Math.max(pageRows, page.rows);
    const last = columns.count - 1;
    const reached =
      range.boundary !== undefined && last >= start && compareKeys(columns.key(last), range.boundary) === 0;
    if (reached || !bounds.goOn(page, ordered))
      return { ordered, firstBeyond: undefined, ended: false, pageRows };

    whereabouts.page(page.rows === 0 ? undefined : columns.key(first));
    if (page.token !== undefined) {
      whereabouts.token(page.token);
      query = { continuationToken: page.token };
    } else {
      const behind = page.rows === 0 ? undefined : columns.key(last);
      query = { startAfter: startAfter(behind, ordered, reader.prefix) };
    }
  }
}

/**
 * Returns the StartAfter, prefix included, for the page that follows a page ending with `key`. Throws
 * StoreError if that key cannot be used.
 */
export function startAfter(key: Uint8Array | undefined, ordered: boolean, prefix: string): string {
  const what = 'the listing does not say where its next page begins';
  if (key === undefined) throw corrupt(`${what}, and the page holds no object`);
  const named = quotedKey(Buffer.from(prefix), key);
  if (!ordered) throw corrupt(`${what}, and its keys are not in order, as before the key ${named}`);
  if (key.length > MAX_KEY_BYTES || !isUtf8(key))
    throw corrupt(`${what}, and the page ends in a key that cannot be asked for: ${named}`);
  return prefix + Buffer.from(key).toString();
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

/** Whether row `first` has a greater key than the row before it, or does not exist. */
function isBehind(columns: ListingColumns, first: number): boolean {
  return first === columns.count || compareKeys(columns.key(first), columns.key(first - 1)) > 0;
}

/**
 * Returns the first row from `first` on whose key is greater than `boundary`; the number of rows if there is
 * none.
 */
function firstBeyond(columns: ListingColumns, first: number, boundary: Uint8Array): number {
  const last = columns.count - 1;
  if (last < first || compareKeys(columns.key(last), boundary) <= 0) return columns.count;
  let row = first;
  while (compareKeys(columns.key(row), boundary) <= 0) row++;
  return row;
}
