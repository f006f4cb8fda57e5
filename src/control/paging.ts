import { RefusedRequest } from './refused-request.ts';

/** Number of items of a page if the request has no `limit`. */
export const DEFAULT_LIMIT = 1_000;

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/**
 * Returns a page of a list that may change between two pages. `next` names the last item by its key and its
 * index among the items with that key, so that no item is lost or repeated if others are added or removed.
 *
 * @param items in the order of `compare`
 * @param keyOf returns the sort key of an item
 * @param compare compares two keys
 */
export function pageOf<T>(
  items: readonly T[],
  query: PageQuery,
  keyOf: (item: T) => string,
  compare: (one: string, other: string) => number,
): Page<T> {
  const start = query.after === undefined ? 0 : startAfter(items, query.after, keyOf, compare);
  const page = items.slice(start, start + (query.limit ?? DEFAULT_LIMIT));
  const last = start + page.length - 1;
  if (last + 1 >= items.length || page.length === 0) return { items: page, next: null };
  const key = keyOf(items[last] as T);
  let same = 1;
  while (last - same >= 0 && compare(keyOf(items[last - same] as T), key) === 0) same += 1;
  return { items: page, next: `${same}:${key}` };
}

/** Returns a page of a list that never changes. `next` is the position of the page's end. */
export function stretchOf(
  length: number,
  query: PageQuery,
): { start: number; end: number; next: string | null } {
  const start = query.after === undefined ? 0 : placeOf(query.after, length);
  const end = Math.min(length, start + (query.limit ?? DEFAULT_LIMIT));
  return { start, end, next: end < length ? String(end) : null };
}

function placeOf(after: string, length: number): number {
  const place = /^\d{1,10}$/.test(after) ? Number(after) : Number.NaN;
  if (!(place <= length)) throw badAfter();
  return place;
}

function startAfter<T>(
  items: readonly T[],
  after: string,
  keyOf: (item: T) => string,
  compare: (one: string, other: string) => number,
): number {
  const colon = after.indexOf(':');
  const ordinal = /^\d{1,10}$/.test(after.slice(0, colon)) ? Number(after.slice(0, colon)) : Number.NaN;
  if (colon < 1 || !(ordinal >= 1)) throw badAfter();
  const key = after.slice(colon + 1);
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(keyOf(items[middle] as T), key) < 0) low = middle + 1;
    else high = middle;
  }
  let start = low;
  while (start < low + ordinal && start < items.length && compare(keyOf(items[start] as T), key) === 0)
    start += 1;
  return start;
}

export function badAfter(): RefusedRequest {
  return new RefusedRequest(
    'bad-parameter',
    'after is not the next of an earlier answer.',
    'Leave it out to begin at the beginning.',
    { members: { field: 'after' } },
  );
}
