import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetchPage } from '../../src/store/listing/fetch-page.ts';
import { waitFor } from '../support/wait-for.ts';
import { errorDocument, FakeStore, type Reply } from './fake-store.ts';
import { failureOf, openStore, patience } from './open-store.ts';

const PAGE = '<?xml version="1.0"?><ListBucketResult></ListBucketResult>';

describe('a page of a listing', () => {
  test('is asked for with its keys encoded', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 200, body: PAGE }));
    const { http } = openStore(t, fake.origin);
    const bytes = await createFetchPage({ http })({ prefix: 'dags/ü &' }, patience());
    assert.equal(String(bytes), PAGE);
    const { url, query } = fake.requests[0] ?? assert.fail();
    assert.match(url, /^\/bucket\/\?/);
    assert.deepEqual(Object.fromEntries(query), {
      'list-type': '2',
      'encoding-type': 'url',
      prefix: 'dags/ü &',
    });
  });

  test('goes on by token, or behind a key, with as many keys as wanted', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 200, body: PAGE }));
    const { http } = openStore(t, fake.origin);
    const fetchPage = createFetchPage({ http });
    await fetchPage({ prefix: '', continuationToken: 'a+b/c=' }, patience());
    await fetchPage({ prefix: '', startAfter: 'dags/\u0001 x', maxKeys: 50_000 }, patience());
    const [first, second] = fake.requests.map(({ query }) => Object.fromEntries(query));
    assert.equal(first?.['continuation-token'], 'a+b/c=');
    assert.equal(second?.['start-after'], 'dags/\u0001 x');
    assert.equal(second?.['max-keys'], '50000');
  });

  const trouble: readonly (readonly [name: string, first: Reply])[] = [
    ['is throttled', { status: 503, body: errorDocument('SlowDown') }],
    ['is cut before it begins', 'cut'],
    ['breaks off', { status: 200, body: PAGE, cutAfter: 10 }],
    ['stalls', { status: 200, body: PAGE, stallAfter: 10 }],
  ];
  for (const [name, first] of trouble) {
    test(`that ${name} is fetched again`, async (t) => {
      const fake = await FakeStore.start(t, (_request, index) =>
        index === 0 ? first : { status: 200, body: PAGE },
      );
      const timeouts = { connect: 2000, firstByte: 20_000, stall: 50 };
      const { http, yielder } = openStore(t, fake.origin, { settings: { timeouts } });
      const bytes = await createFetchPage({ http, yielder })({ prefix: '' }, patience());
      assert.equal(String(bytes), PAGE);
      assert.equal(fake.requests.length, 2);
    });
  }

  test('is not asked for again where access is denied', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 403, body: errorDocument('AccessDenied') }));
    const { http } = openStore(t, fake.origin);
    assert.equal((await failureOf(createFetchPage({ http })({ prefix: '' }, patience()))).code, 'denied');
    assert.equal(fake.requests.length, 1);
  });

  test('is given up at its deadline', async (t) => {
    const fake = await FakeStore.start(t, () => 'hang');
    const { http } = openStore(t, fake.origin);
    const failure = failureOf(createFetchPage({ http, deadlineMs: 50 })({ prefix: '' }, patience()));
    assert.equal((await failure).code, 'unreachable');
  });

  test('is given up when the signal is aborted, and its connection closed', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 200, body: PAGE, stallAfter: 10 }));
    const { http } = openStore(t, fake.origin);
    const controller = new AbortController();
    const failure = failureOf(createFetchPage({ http })({ prefix: '' }, controller.signal));
    await waitFor('the request', () => fake.requests.length === 1);
    controller.abort();
    assert.equal((await failure).code, 'aborted');
    await waitFor('the connection to be closed', () => fake.connections === 0);
  });
});
