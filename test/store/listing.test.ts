import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type ListingNotice,
  PrefixLister,
  type PrefixListerOptions,
} from '../../src/store/listing/listing.ts';
import type { PageQuery } from '../../src/store/listing/page-reader.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { rowsOf } from './list-answers.ts';
import { byBytes, FakeListingStore, type FakeStoreOptions } from './list-store.ts';

const PREFIX = 'dags/';

function numbered(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${PREFIX}dag_${String(i + from).padStart(5, '0')}.py`);
}

function listerOf(store: FakeListingStore, options: Partial<PrefixListerOptions> = {}) {
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

function startAfters(requests: readonly PageQuery[]): readonly string[] {
  return requests.flatMap(({ startAfter }) => startAfter ?? []);
}

/** As people sort: capitals beside small letters. */
function asPeopleSort(left: string, right: string): number {
  return left.localeCompare(right, 'en') || byBytes(left, right);
}

/** A folder comes before its neighbours whose names go on with a character below the slash. */
function byFolders(left: string, right: string): number {
  return byBytes(left.replaceAll('/', '\0'), right.replaceAll('/', '\0'));
}

describe('listing a prefix', () => {
  it('gives every object of every page, one page after the other the first time', async () => {
    const store = new FakeListingStore([...numbered(95), 'other/a.py', 'dagsx']);
    const { list } = listerOf(store);
    assert.deepEqual(await list(), numbered(95));
    assert.equal(store.mostInFlight, 1);
    assert.deepEqual(startAfters(store.requests), []);
    assert.equal(store.requests.length, 10);
  });

  it('gives an empty listing of an empty prefix', async () => {
    const { list } = listerOf(new FakeListingStore(['other/a.py']));
    assert.deepEqual(await list(), []);
    assert.deepEqual(await list(), []);
  });

  it('asks for all pages at once the second time, with as many requests, at most as many at a time as allowed', async () => {
    const store = new FakeListingStore(numbered(95));
    const { list } = listerOf(store, { concurrency: 3 });
    await list();
    store.beforeAnswer = () => new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await list(), numbered(95));
    assert.equal(store.requests.length, 10);
    assert.equal(startAfters(store.requests).length, 9);
    assert.equal(store.mostInFlight, 3);
  });

  it('lists few pages one after the other every time', async () => {
    const store = new FakeListingStore(numbered(40));
    const { list } = listerOf(store);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await list(), numbered(40));
      assert.deepEqual(startAfters(store.requests), []);
    }
    store.put(`${PREFIX}more.py`);
    await list();
    await list();
    assert.equal(startAfters(store.requests).length, 4);
  });

  it('gives the same in parallel as one after the other, whatever changed since, whatever the pages', async () => {
    const key = fc.stringMatching(/^[a-c/.A-]{1,5}$/).map((name) => PREFIX + name);
    const changes = fc.array(fc.tuple(fc.boolean(), key), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 150 }),
        fc.array(fc.tuple(changes, fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        async (keys, rounds, concurrency) => {
          const store = new FakeListingStore(keys);
          const { list, notices } = listerOf(store, { concurrency });
          await list();
          for (const [edits, pageKeys] of rounds) {
            store.options = { ...store.options, pageKeys };
            for (const [put, name] of edits) put ? store.put(name) : store.delete(name);
            assert.deepEqual(await list(), store.keys(PREFIX));
          }
          assert.deepEqual(notices, []);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('names every key that was there all along, and none twice, while others come and go between pages', async () => {
    const key = fc.stringMatching(/^[a-c/.A-]{1,4}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { minLength: 30, maxLength: 150 }),
        fc.array(fc.tuple(fc.boolean(), key), { maxLength: 80 }),
        async (stay, changes) => {
          const staying = stay.map((name) => `${PREFIX}${name}=`);
          const store = new FakeListingStore(staying, { pageKeys: 5 });
          const { list } = listerOf(store, { concurrency: 4 });
          const pending = [...changes];
          store.beforeAnswer = () => {
            for (const [put, name] of pending.splice(0, 2)) {
              put ? store.put(`${PREFIX}${name}!`) : store.delete(`${PREFIX}${name}!`);
            }
          };
          for (let i = 0; i < 3; i++) {
            const listed = await list();
            assert.equal(new Set(listed).size, listed.length);
            const missed = staying.filter((name) => !listed.includes(name));
            assert.deepEqual(missed, []);
          }
        },
      ),
      { numRuns: 80 },
    );
  });
});

describe('listing a store that does not list in byte order', () => {
  const mixed = [
    ...numbered(60),
    ...numbered(60).map((key) => key.replace('dag_', 'Dag_')),
    `${PREFIX}README.md`,
  ];

  async function listsAll(keys: readonly string[], options: FakeStoreOptions) {
    const store = new FakeListingStore(keys, options);
    const { list, notices } = listerOf(store);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual([...(await list())].sort(byBytes), [...keys].sort(byBytes));
      assert.deepEqual(startAfters(store.requests), []);
    }
    return { store, notices };
  }

  it('goes one page after the other for good where the store gives no more than a page at once, and says so once', async () => {
    const { store, notices } = await listsAll(mixed, { order: asPeopleSort });
    assert.deepEqual(notices, ['listing-unordered', 'listing-by-token']);
    assert.equal(store.requests.length, 13);
  });

  it('takes a refusal of many keys for a store that gives no more than a page', async () => {
    const store = new FakeListingStore(mixed, { order: asPeopleSort, manyKeys: 'refuse' });
    store.refusal = () => new StoreError('bad-request', 'InvalidMaxKeys', '', false);
    const { list, notices } = listerOf(store);
    assert.equal((await list()).length, mixed.length);
    assert.deepEqual(notices, ['listing-unordered', 'listing-by-token']);
  });

  it('gives up asking for everything at once after three failures in a row', async () => {
    const store = new FakeListingStore(mixed, { order: asPeopleSort, manyKeys: 'refuse' });
    store.refusal = () => new StoreError('unreachable', 'too slow', '', true);
    const { list, notices } = listerOf(store);
    for (let i = 0; i < 2; i++) await assert.rejects(list(), { code: 'unreachable' });
    assert.equal((await list()).length, mixed.length);
    assert.deepEqual(notices, ['listing-unordered', 'listing-by-token']);
  });

  it('does not give up so with a store that does not encode keys, whose pages may not join', async () => {
    const store = new FakeListingStore(mixed, { manyKeys: 'refuse', encodes: false });
    store.refusal = () => new StoreError('unreachable', 'down', '', true);
    const { list } = listerOf(store);
    for (let i = 0; i < 6; i++) await assert.rejects(list(), { code: 'unreachable' });
    store.options = { ...store.options, manyKeys: 'all' };
    assert.equal((await list()).length, mixed.length);
  });

  it('asks a store that goes on in another order than it lists for everything at once, and misses nothing', async () => {
    const { store, notices } = await listsAll(mixed, {
      order: asPeopleSort,
      goesOn: 'in-byte-order',
      manyKeys: 'all',
    });
    assert.deepEqual(notices, ['listing-unordered', 'listing-in-one-page']);
    assert.equal(store.requests.length, 1);
  });

  it('does so where only the lack of EncodingType gives the store away', async () => {
    const keys = [...numbered(20), `${PREFIX}README.md`];
    const { notices } = await listsAll(keys, {
      order: asPeopleSort,
      goesOn: 'in-byte-order',
      manyKeys: 'all',
      encodes: false,
    });
    assert.deepEqual(notices, ['listing-in-one-page']);
  });

  it('does so where order is lost on the last page only', async () => {
    const store = new FakeListingStore([...numbered(45), `${PREFIX}zz/a.py`, `${PREFIX}zz-b.py`], {
      order: byFolders,
      manyKeys: 'all',
    });
    const { list, notices } = listerOf(store);
    assert.deepEqual(await list(), store.keys(PREFIX));
    assert.deepEqual(notices, ['listing-unordered', 'listing-in-one-page']);
    await list();
    assert.equal(store.requests.length, 1);
  });

  it('refuses a listing that names a key twice', async () => {
    const store = new FakeListingStore(mixed, { order: asPeopleSort, goesOn: 'in-byte-order' });
    await assert.rejects(listerOf(store).list(), { code: 'corrupt' });
  });

  it('goes back to one page after the other when order is lost between two listings', async () => {
    const keys = Array.from({ length: 80 }, (_, i) => `${PREFIX}team${String(i).padStart(2, '0')}/dag.py`);
    const store = new FakeListingStore(keys, { order: byFolders });
    const { list, notices } = listerOf(store);
    assert.deepEqual(await list(), keys);
    assert.deepEqual(await list(), keys);
    assert.ok(startAfters(store.requests).length > 0);
    for (const team of [9, 10, 30, 79]) store.put(`${PREFIX}team${String(team).padStart(2, '0')}-old.py`);
    const expected = store.keys(PREFIX);
    assert.deepEqual(await list(), expected);
    assert.ok(notices.includes('listing-unordered'));
    assert.deepEqual(await list(), expected);
    assert.deepEqual(startAfters(store.requests), []);
  });

  it('starts over where parallel pages do not fit together, and goes parallel again the next time', async () => {
    const store = new FakeListingStore(numbered(100));
    const { list, notices } = listerOf(store);
    await list();
    // The first range ends in what the second begins with; that goes away after the first was read.
    for (const key of numbered(5)) store.delete(key);
    store.beforeAnswer = async (request) => {
      if (request === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
      store.delete(`${PREFIX}dag_00010.py`);
    };
    const { length } = await list();
    assert.equal(length, 94);
    assert.deepEqual(notices, ['listing-changed-under-way']);
    assert.equal((await list()).length, 94);
    assert.ok(startAfters(store.requests).length > 0);
  });
});

describe('listing a store that does not encode keys', () => {
  it('asks once which reading of a key is right, and keeps to it', async () => {
    const keys = [`${PREFIX}c++.py`, `${PREFIX}pct%41.py`, `${PREFIX}z.py`];
    const store = new FakeListingStore(keys, { encodes: false });
    const { list } = listerOf(store);
    assert.deepEqual(await list(), keys);
    assert.equal(store.requests[1]?.prefix, `${PREFIX}c++.py`);
    assert.deepEqual(await list(), keys);
    assert.equal(store.requests.length, 1);
  });

  it('refuses a store that encodes keys and does not say so', async () => {
    const store = new FakeListingStore([`${PREFIX}c++.py`, `${PREFIX}z.py`]);
    store.onAnswer = (bytes) => Buffer.from(bytes.toString().replace('<EncodingType>url</EncodingType>', ''));
    await assert.rejects(listerOf(store).list(), { code: 'corrupt' });
  });
});

describe('a listing that goes wrong', () => {
  const garbled = (bytes: Buffer) => bytes.subarray(0, bytes.length - 30);

  it('asks again for a page that came garbled, after a pause that grows', async () => {
    const store = new FakeListingStore(numbered(30));
    store.onAnswer = (bytes, request) => (request === 1 || request === 2 ? garbled(bytes) : bytes);
    const { list, sleeps } = listerOf(store, { random: () => 1 });
    assert.deepEqual(await list(), numbered(30));
    assert.deepEqual(sleeps, [100, 200]);
    assert.equal(store.requests.length, 5);
  });

  it('is rejected when a page comes garbled three times, in sequence as in parallel', async () => {
    const store = new FakeListingStore(numbered(80));
    const { list } = listerOf(store, { concurrency: 2 });
    await list();
    store.onAnswer = (bytes) => (bytes.includes('dag_00035') ? garbled(bytes) : bytes);
    await assert.rejects(list(), { code: 'corrupt' });
    await assert.rejects(listerOf(store).list(), { code: 'corrupt' });
    store.onAnswer = (bytes) => bytes;
    assert.deepEqual(await list(), numbered(80));
  });

  it('is rejected with what a request was rejected with, and asks for nothing more', async () => {
    const store = new FakeListingStore(numbered(200));
    const { list } = listerOf(store, { concurrency: 4 });
    await list();
    const denied = new StoreError('denied', 'no', '', false);
    store.beforeAnswer = (request) => {
      if (request === 5) throw denied;
    };
    await assert.rejects(list(), denied);
    const { length } = store.requests;
    assert.ok(length < 12, `${length} requests`);
    assert.equal(store.inFlight, 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(store.requests.length, length);
  });

  it('ends with the signal, in sequence as in parallel, and leaves nothing under way', async () => {
    const store = new FakeListingStore(numbered(200));
    const { list } = listerOf(store, { concurrency: 4 });
    const reason = new Error('enough');
    for (const round of [0, 1]) {
      if (round === 1) await list();
      const abort = new AbortController();
      store.beforeAnswer = async (request, _query, signal) => {
        if (request < 6) return;
        setImmediate(() => abort.abort(reason));
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      };
      await assert.rejects(list(abort.signal), { code: 'aborted', cause: reason });
      assert.equal(store.inFlight, 0);
      store.beforeAnswer = () => undefined;
    }
    await assert.rejects(list(AbortSignal.abort(reason)), { code: 'aborted', cause: reason });
    assert.equal(store.requests.length, 0);
  });

  it('refuses a continuation token that comes again', async () => {
    const store = new FakeListingStore(numbered(30));
    store.onAnswer = (bytes) => Buffer.from(bytes.toString().replace(/after:[^<]*/, 'round and round'));
    await assert.rejects(listerOf(store).list(), { code: 'corrupt' });
    assert.ok(store.requests.length < 10);
  });

  it('refuses to follow pages without objects for ever, but follows some', async () => {
    const empty = (request: number, more: boolean) =>
      Buffer.from(
        `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>` +
          `<NextContinuationToken>t${request}</NextContinuationToken></ListBucketResult>`,
      );
    const store = new FakeListingStore(numbered(1));
    store.onAnswer = (bytes, request) => (request < 50 ? empty(request, true) : bytes);
    assert.deepEqual(await listerOf(store).list(), numbered(1));
    store.onAnswer = (_bytes, request) => empty(request, true);
    await assert.rejects(listerOf(store).list(), { code: 'corrupt' });
    assert.ok(store.requests.length < 200);
  });

  it('refuses more objects than the bound, in sequence as in parallel', async () => {
    const store = new FakeListingStore(numbered(100));
    const { list } = listerOf(store, { maxObjects: 100 });
    assert.equal((await list()).length, 100);
    store.put(`${PREFIX}more.py`);
    await assert.rejects(list(), { code: 'bad-request' });
    await assert.rejects(listerOf(store, { maxObjects: 99 }).list(), { code: 'bad-request' });
  });

  it('refuses a token with a character that the store could not write', async () => {
    const store = new FakeListingStore(numbered(30));
    store.onAnswer = (bytes) => Buffer.from(bytes.toString().replace(/after:/, 'after:\ufffd'));
    await assert.rejects(listerOf(store).list(), { code: 'corrupt' });
  });
});
