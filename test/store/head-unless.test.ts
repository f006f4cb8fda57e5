import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { identities, type Seaweedfs, seaweedfsBinary, startSeaweedfs } from '../support/seaweedfs.ts';
import { errorDocument, etagOf, FakeStore, LAST_MODIFIED, object } from './fake-store.ts';
import { failureOf, openStore, patience } from './open-store.ts';

const skip =
  seaweedfsBinary() === undefined && process.env.DAGMOUNT_TEST_S3 === undefined
    ? 'SeaweedFS is not installed: scripts/test does that'
    : false;

const BODY = Buffer.from('2026-01-01\n');
const ETAG = etagOf(BODY);
const HEAD = {
  etag: ETAG,
  size: BODY.length,
  lastModified: Date.parse(LAST_MODIFIED),
  versionId: undefined,
};

describe('the head of an object, unless it has an ETag', () => {
  test('is asked for by one conditional GET, and is nothing where the store says 304', async (t) => {
    const fake = await FakeStore.start(t, ({ headers }) =>
      headers['if-none-match'] === `"${ETAG}"`
        ? { status: 304, headers: { etag: `"${ETAG}"` } }
        : object(BODY, { etag: `"${ETAG}"` }),
    );
    const requests: string[] = [];
    const observer = {
      request: (operation: string, outcome: string) => void requests.push(`${operation} ${outcome}`),
      bytes: () => undefined,
    };
    const { store } = openStore(t, fake.origin, { observer });
    const options = { signal: patience() };
    assert.deepEqual(await store.headUnless(undefined, 'version.txt', options), HEAD);
    assert.deepEqual(await store.headUnless('another', 'version.txt', options), HEAD);
    for (let poll = 0; poll < 3; poll++) {
      assert.equal(await store.headUnless(ETAG, 'version.txt', options), undefined);
    }
    assert.deepEqual(
      fake.requests.map(({ method, url, headers }) => [method, url, headers['if-none-match']]),
      [undefined, '"another"', `"${ETAG}"`, `"${ETAG}"`, `"${ETAG}"`].map((condition) => [
        'GET',
        '/bucket/dags/version.txt',
        condition,
      ]),
    );
    assert.deepEqual(
      requests,
      Array.from({ length: 5 }, () => 'get ok'),
    );
  });

  test('is nothing where the store does not heed the condition', async (t) => {
    const fake = await FakeStore.start(t, () => object(BODY, { etag: `"${ETAG}"` }));
    const { store } = openStore(t, fake.origin);
    assert.equal(await store.headUnless(ETAG, 'version.txt', { signal: patience() }), undefined);
  });

  test('is told apart from an object that is gone, and tried again where the store is in trouble', async (t) => {
    const fake = await FakeStore.start(t, (_, index) =>
      index < 2
        ? { status: 503, body: errorDocument('SlowDown') }
        : { status: 404, body: errorDocument('NoSuchKey') },
    );
    const { store } = openStore(t, fake.origin);
    assert.equal(
      (await failureOf(store.headUnless(ETAG, 'version.txt', { signal: patience() }))).code,
      'gone',
    );
    assert.equal(fake.requests.length, 3);
  });

  test('a 304 that nobody asked for is no answer', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 304, headers: { etag: `"${ETAG}"` } }));
    const { store } = openStore(t, fake.origin);
    const options = { signal: patience() };
    assert.equal((await failureOf(store.headUnless(undefined, 'version.txt', options))).code, 'not-s3');
    assert.equal((await failureOf(store.get('version.txt', options))).code, 'not-s3');
  });
});

describe('the head of an object, unless it has an ETag, of a real store', { skip }, () => {
  let seaweedfs: Seaweedfs;
  before(async () => {
    seaweedfs = await startSeaweedfs();
  });
  after(() => seaweedfs?.stop());

  test('is there once the object is, and again whenever it changes', async (t) => {
    const bucket = await seaweedfs.createBucket();
    const { store } = openStore(t, seaweedfs.endpoint, {
      credentials: async () => identities.reader,
      target: { bucket, basePath: `/${bucket}/` },
    });
    const ask = (etag: string | undefined) => store.headUnless(etag, 'version.txt', { signal: patience() });
    assert.equal((await failureOf(ask(undefined))).code, 'gone');
    let etag: string | undefined;
    for (const content of ['one', 'two', 'six']) {
      const put = await seaweedfs.put(bucket, 'dags/version.txt', content);
      const head = await ask(etag);
      assert.deepEqual([head?.etag, head?.size], [put, content.length]);
      etag = put;
      assert.equal(await ask(etag), undefined);
    }
    // If the same content is put again, the version stays the same.
    await seaweedfs.put(bucket, 'dags/version.txt', 'six');
    assert.equal(await ask(etag), undefined);
    await seaweedfs.delete(bucket, 'dags/version.txt');
    assert.equal((await failureOf(ask(etag))).code, 'gone');
  });
});
