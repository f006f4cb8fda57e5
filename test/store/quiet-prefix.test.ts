import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PrefixLister } from '../../src/store/listing/listing.ts';
import type { FetchPage } from '../../src/store/listing/page-reader.ts';
import { answer } from './list-answers.ts';

const PREFIX = 'dags/';
/** The most keys that S3 gives in a page, whatever the request asks for. */
const PAGE = 1_000;

function pathOf(i: number): string {
  return `${PREFIX}dag_${String(i).padStart(7, '0')}.py`;
}

/** Lists as S3 does, but makes the keys from numbers. */
function storeOf(count: number): { readonly fetchPage: FetchPage; requests: number } {
  const store = {
    requests: 0,
    fetchPage: async (query: Parameters<FetchPage>[0]) => {
      store.requests += 1;
      const after = query.continuationToken ?? query.startAfter;
      const start = after === undefined ? 0 : Number(/(\d+)\.py$/.exec(after)?.[1]) + 1;
      const end = Math.min(count, start + PAGE);
      return answer({
        prefix: Buffer.from(PREFIX),
        objects: Array.from({ length: end - start }, (_, at) => ({
          key: Buffer.from(pathOf(start + at)),
          size: 1,
          lastModified: 1_700_000_000_000,
          etag: 'e',
        })),
        ...(end < count ? { token: pathOf(end - 1) } : {}),
      });
    },
  };
  return store;
}

describe('a quiet prefix', () => {
  for (const [objects, pages] of [
    [0, 1],
    [1_000, 1],
    [1_001, 2],
    [10_000, 10],
    [100_000, 100],
  ] as const) {
    it(`of ${objects} objects costs ${pages} requests a poll, the first listing and every later one`, async () => {
      const store = storeOf(objects);
      const lister = new PrefixLister({ fetchPage: store.fetchPage, prefix: PREFIX });
      for (let poll = 0; poll < 3; poll++) {
        store.requests = 0;
        const listing = await lister.list({ signal: new AbortController().signal });
        assert.equal(listing.count, objects);
        assert.equal(store.requests, pages);
      }
    });
  }
});
