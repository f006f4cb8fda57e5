import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SmallObject } from '../../src/store/object-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { errorDocument, etagOf, FakeStore, flipped, object, type Reply } from './fake-store.ts';
import { openStore, patience } from './open-store.ts';

const BODY = Buffer.from('from airflow import DAG\n'.repeat(100));
const ETAG = etagOf(BODY);
const ORDINARY = object(BODY, { etag: `"${ETAG}"` });

async function open(test: TestContext, answer: (index: number) => Reply) {
  const fake = await FakeStore.start(test, (_, index) => answer(index));
  const seen: string[] = [];
  const { store } = openStore(test, fake.origin, {
    concurrency: 8,
    observer: {
      request: (operation, outcome) => void seen.push(`${operation} ${outcome}`),
      bytes: () => undefined,
    },
  });
  const ask = async (signal = patience()): Promise<SmallObject | undefined> =>
    store.getSmall('a/b.py', { signal, etag: ETAG, size: BODY.length });
  return { fake, store, seen, ask };
}

describe('a small object that is requested the short way', () => {
  it('comes with its bytes by one request for the listed version', async (t) => {
    const { fake, seen, ask } = await open(t, () =>
      object(BODY, { etag: `"${ETAG}"`, 'x-amz-version-id': 'v1' }),
    );
    const found = await ask();
    assert.deepEqual(found, { bytes: BODY, versionId: 'v1' });
    assert.equal(fake.requests.length, 1);
    const { method, url, headers } = fake.requests[0]!;
    assert.deepEqual([method, url, headers['if-match']], ['GET', '/bucket/dags/a/b.py', `"${ETAG}"`]);
    assert.match(headers.authorization ?? '', /SignedHeaders=[^,]*if-match/);
    assert.deepEqual(seen, ['get ok']);
  });

  it('has no version id where the bucket has no versioning', async (t) => {
    const { ask } = await open(t, () => object(BODY, { etag: `"${ETAG}"`, 'x-amz-version-id': 'null' }));
    assert.equal((await ask())?.versionId, undefined);
  });

  const odd: Readonly<Record<string, Reply>> = {
    'one flipped bit': object(flipped(BODY, 9), { etag: `"${ETAG}"` }),
    'a CRC-32 of something else': object(BODY, { etag: `"${ETAG}"`, 'x-amz-checksum-crc32': 'AAAAAA==' }),
    'another ETag': object(BODY, { etag: '"0123456789abcdef0123456789abcdef"' }),
    'a weak ETag': object(BODY, { etag: `W/"${ETAG}"` }),
    'two ETags': object(BODY, { etag: [`"${ETAG}"`, '"another"'] }),
    'no ETag': object(BODY, { etag: [] }),
    'an ETag that is no MD5 of these bytes': object(BODY.subarray(1), { etag: `"${ETAG}"` }),
    'more bytes': object(Buffer.concat([BODY, BODY]), { etag: `"${ETAG}"` }),
    'no bytes': object('', { etag: `"${ETAG}"` }),
    'a part of the object': { ...ORDINARY, status: 206 },
    'nothing new': { status: 304 },
    'a body that is cut off': { ...ORDINARY, cutAfter: 100 },
    'no answer': 'cut',
    'an object that is gone': { status: 404, body: errorDocument('NoSuchKey') },
    'a replaced object': { status: 412, body: errorDocument('PreconditionFailed') },
    'a refusal': { status: 403, body: errorDocument('AccessDenied') },
    'a failure of the store': { status: 500, body: errorDocument('InternalError') },
    'a page of a proxy': { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } },
  };
  for (const [name, reply] of Object.entries(odd)) {
    it(`is left to the long way after ${name}, and no place stays taken`, async (t) => {
      let reply_: Reply = reply;
      const { store, ask, fake } = await open(t, () => reply_);
      assert.equal(await ask(), undefined);
      reply_ = ORDINARY;
      const after = await Promise.all(Array.from({ length: 20 }, () => ask()));
      assert.ok(after.every((found) => found !== undefined));
      // A reader's request is served as before.
      const { body } = await store.get('a/b.py', { signal: patience(), ifMatch: ETAG, size: BODY.length });
      for await (const part of body) assert.deepEqual(part, BODY);
      assert.ok(fake.connections <= 8);
    });
  }

  it('comes with chunks, if they are its content', async (t) => {
    const { ask } = await open(t, () => ({ ...ORDINARY, chunked: true }));
    assert.deepEqual((await ask())?.bytes, BODY);
  });

  for (const [name, reply, most] of [
    ['four odd answers in a row, since each costs a second request', object(BODY, { etag: '"odd"' }), 4],
    ['four objects whose ETag is no MD5', object(flipped(BODY, 9), { etag: `"${ETAG}"` }), 4],
    ['the store asked for fewer requests', { status: 503, body: errorDocument('SlowDown') }, 1],
  ] as const) {
    it(`is requested no more after ${name}`, async (t) => {
      const { fake, ask } = await open(t, () => reply);
      for (let time = 0; time < 10; time += 1) assert.equal(await ask(), undefined);
      assert.equal(fake.requests.length, most);
    });
  }

  it('is not requested from its place in the queue if the short way rests by then', async (t) => {
    const { fake, ask } = await open(t, () => object(BODY, { etag: '"odd"' }));
    const asked = await Promise.all(Array.from({ length: 40 }, () => ask()));
    assert.ok(asked.every((found) => found === undefined));
    assert.ok(fake.requests.length < 20, `${fake.requests.length} requests`);
  });

  it('is left to the long way after its time limit', async (t) => {
    const { fake, store } = await open(t, () => ({ ...ORDINARY, dripMs: 20 }));
    const request = { signal: patience(), etag: ETAG, size: BODY.length, deadlineMs: 100 };
    assert.equal(await store.getSmall('a/b.py', request), undefined);
    await waitFor('the connection to close', () => fake.connections === 0);
  });

  it('is requested on after a damaged answer, although its ETag is an MD5', async (t) => {
    const damaged = object(BODY, { etag: `"${ETAG}"`, 'x-amz-checksum-crc32': 'AAAAAA==' });
    const { fake, ask } = await open(t, (index) => (index < 3 ? damaged : ORDINARY));
    for (let time = 0; time < 3; time += 1) assert.equal(await ask(), undefined);
    assert.deepEqual((await ask())?.bytes, BODY);
    assert.equal(fake.requests.length, 4);
  });

  it('is requested on if odd answers are rare', async (t) => {
    const { fake, ask } = await open(t, (index) => (index % 3 === 0 ? 'cut' : ORDINARY));
    for (let time = 0; time < 30; time += 1) await ask();
    assert.equal(fake.requests.length, 30);
  });

  it('ends with the reason of its caller, also while it waits for a place', async (t) => {
    const { fake, ask } = await open(t, () => 'hang');
    const leaving = new AbortController();
    const asked = Array.from({ length: 12 }, () => ask(leaving.signal));
    await waitFor('the requests', () => fake.requests.length === 7);
    leaving.abort(new Error('no longer wanted'));
    for (const one of asked) await assert.rejects(one, /no longer wanted/);
    await waitFor('the connections to close', () => fake.connections === 0);
    fake.answering = () => ORDINARY;
    assert.deepEqual((await ask())?.bytes, BODY);
  });

  it('leaves a place for readers', async (t) => {
    const { fake, store, ask } = await open(t, (index) => (index < 7 ? 'hang' : ORDINARY));
    const leaving = new AbortController();
    const asked = Array.from({ length: 20 }, () => ask(leaving.signal));
    await waitFor('the requests', () => fake.requests.length === 7);
    const answer = await store.get('a/b.py', { signal: patience(), ifMatch: ETAG, size: BODY.length });
    for await (const part of answer.body) assert.deepEqual(part, BODY);
    leaving.abort(new Error('over'));
    await Promise.allSettled(asked);
  });
});
