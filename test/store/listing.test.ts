import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../src/store/store-error.ts';
import { byBytes, FakeListingStore, type FakeStoreOptions } from './list-store.ts';
import { asPeopleSort, byFolders, listerOf, numbered, PREFIX, startAfters } from './listers.ts';

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
    // The first range ends with the key with which the second begins. This key is deleted once the first was read.
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
