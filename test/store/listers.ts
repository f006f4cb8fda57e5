import assert from 'node:assert/strict';
import {
  type ListingNotice,
  PrefixLister,
  type PrefixListerOptions,
} from '../../src/store/listing/listing.ts';
import type { PageQuery } from '../../src/store/listing/page-reader.ts';
import { rowsOf } from './list-answers.ts';
import { byBytes, type FakeListingStore } from './list-store.ts';

export const PREFIX = 'dags/';

export function numbered(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${PREFIX}dag_${String(i + from).padStart(5, '0')}.py`);
}

export function listerOf(store: FakeListingStore, options: Partial<PrefixListerOptions> = {}) {
  const notices: ListingNotice['event'][] = [];
  const sleeps: number[] = [];
  const lister = new PrefixLister({
    fetchPage: store.fetchPage,
    prefix: PREFIX,
    log: ({ event }) => notices.push(event),
    sleep: async (milliseconds, signal) => {
      sleeps.push(milliseconds);
      signal.throwIfAborted();
    },
    ...options,
  });
  const list = async (signal = new AbortController().signal) => {
    store.requests.length = 0;
    const listing = await lister.list({ signal });
    assert.equal(listing.requests, store.requests.length);
    return rowsOf(listing).map(({ key }) => PREFIX + key);
  };
  return { list, notices, sleeps };
}

export function startAfters(requests: readonly PageQuery[]): readonly string[] {
  return requests.flatMap(({ startAfter }) => startAfter ?? []);
}

/** The order in which people sort: capitals beside small letters. */
export function asPeopleSort(left: string, right: string): number {
  return left.localeCompare(right, 'en') || byBytes(left, right);
}

/** A folder comes before neighbours whose names continue with a character below the slash. */
export function byFolders(left: string, right: string): number {
  return byBytes(left.replaceAll('/', '\0'), right.replaceAll('/', '\0'));
}
