import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../../src/store/store-error.ts';
import { FakeListingStore } from './list-store.ts';
import { listerOf, numbered, PREFIX } from './listers.ts';

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

  it('takes no longer for a page that comes garbled and slowly than for any other', async () => {
    const store = new FakeListingStore(numbered(30));
    store.onAnswer = garbled;
    let now = 0;
    const within: number[] = [];
    const { list } = listerOf(store, {
      now: () => now,
      random: () => 1,
      sleep: async (milliseconds) => {
        now += milliseconds;
      },
      fetchPage: async (query, signal, withinMs = Number.NaN) => {
        within.push(withinMs);
        // Each page takes as long as it may, up to six seconds.
        now += Math.min(withinMs, 6_000);
        return await store.fetchPage(query, signal);
      },
    });
    await assert.rejects(list(), { code: 'corrupt' });
    assert.deepEqual(within, [10_000, 3_900]);
    assert.equal(now, 10_000);
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
