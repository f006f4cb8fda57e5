import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Answering, etagOf, FakeStore, flipped, object, type SeenRequest } from './fake-store.ts';
import { failureOf, openStore, patience, read } from './open-store.ts';

const SMALL = Buffer.from('import airflow\n');
/** Longer than what the store's client collects before it hands bytes out. */
const LARGE = randomBytes(1_000_003);
const SIZES = [
  ['a short', SMALL],
  ['a long', LARGE],
] as const;

describe('an answer without a length', () => {
  for (const [name, body] of SIZES) {
    test(`is read to its end and held against the listed size: ${name} object`, async (t) => {
      const fake = await FakeStore.start(t, () => ({ ...object(body), chunked: true }));
      const { store } = openStore(t, fake.origin);
      const got = await store.get('a', { signal: patience(), size: body.length });
      assert.equal(got.size, body.length);
      assert.deepEqual(await read(got.body), body);
      assert.equal(fake.requests.length, 1);
    });

    for (const [fault, sent] of [
      ['too short', body.subarray(1)],
      ['too long', Buffer.concat([body, body])],
    ] as const) {
      test(`is corrupt where it is ${fault}: ${name} object`, async (t) => {
        const fake = await FakeStore.start(t, () => ({ ...object(sent), chunked: true }));
        const { store } = openStore(t, fake.origin);
        const reading = async () =>
          read((await store.get('a', { signal: patience(), size: body.length })).body);
        assert.equal((await failureOf(reading())).code, 'corrupt');
      });
    }

    test(`is a range, too, of a store that sends the whole: ${name} object`, async (t) => {
      const fake = await FakeStore.start(t, () => ({ ...object(body), chunked: true }));
      const { store } = openStore(t, fake.origin);
      const options = { signal: patience(), size: body.length, range: { start: 2, end: 9 } };
      assert.deepEqual(await read((await store.get('a', options)).body), body.subarray(2, 9));
    });
  }

  test('is taken by its Content-Range where it is a part', async (t) => {
    const headers = { 'content-range': `bytes 2-8/${SMALL.length}` };
    const part = { ...object(SMALL.subarray(2, 9), headers), status: 206, chunked: true };
    const fake = await FakeStore.start(t, () => part);
    const { store } = openStore(t, fake.origin);
    const options = { signal: patience(), size: SMALL.length, range: { start: 2, end: 9 } };
    assert.deepEqual(await read((await store.get('a', options)).body), SMALL.subarray(2, 9));
  });

  test('tells the size by its end where no listing does', async (t) => {
    const fake = await FakeStore.start(t, () => ({ ...object(LARGE), chunked: true }));
    const { store } = openStore(t, fake.origin);
    const got = await store.get('a', { signal: patience() });
    assert.equal(got.size, LARGE.length);
    assert.deepEqual(await read(got.body), LARGE);
  });
});

describe('an object that the store unpacks', () => {
  const packed = gzipSync(Buffer.alloc(100_000, 'import airflow\n'));
  const packedLarge = gzipSync(LARGE);
  /** Answers as Google's store does for objects with `Content-Encoding: gzip`. */
  const unpacking =
    (stored: Buffer, plain: Uint8Array): Answering =>
    ({ headers }) => {
      const etag = `"${etagOf(stored)}"`;
      if (headers['accept-encoding'] !== 'gzip') return { ...object(plain, { etag }), chunked: true };
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
      if (first === undefined) return object(stored, { etag, 'content-encoding': 'gzip' });
      const range = `bytes ${first}-${last}/${stored.length}`;
      const part = stored.subarray(Number(first), Number(last) + 1);
      return { ...object(part, { etag, 'content-range': range }), status: 206 };
    };
  for (const [name, stored, plain] of [
    ['a short', packed, Buffer.alloc(100_000, 'import airflow\n')],
    ['a long', packedLarge, LARGE],
  ] as const) {
    test(`comes as it is stored: ${name} one`, async (t) => {
      const fake = await FakeStore.start(t, unpacking(stored, plain));
      const { store } = openStore(t, fake.origin);
      const options = { signal: patience(), size: stored.length };
      // For a long object, this shows only at its end, and the reader asks again.
      await read((await store.get('a', options)).body).catch(() => undefined);
      assert.deepEqual(await read((await store.get('a', options)).body), stored);
      const range = { start: 10, end: 20 };
      const part = await store.get('a', { ...options, range });
      assert.deepEqual(await read(part.body), stored.subarray(10, 20));
      assert.equal(part.size, stored.length);
    });
  }

  test('is the only one that is asked for with gzip: a proxy packs what is asked for so', async (t) => {
    const fake = await FakeStore.start(t, ({ headers }) =>
      headers['accept-encoding'] === 'gzip'
        ? { ...object(gzipSync(LARGE), { 'content-encoding': 'gzip' }), chunked: true }
        : object(LARGE),
    );
    const { store } = openStore(t, fake.origin);
    const options = { signal: patience(), size: LARGE.length };
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await read((await store.get('a', options)).body), LARGE);
    }
    assert.deepEqual(
      new Set(fake.requests.map(({ headers }) => headers['accept-encoding'])),
      new Set(['identity']),
    );
  });

  test('of another length than listed, however it is asked for, is corrupt', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL));
    const { store } = openStore(t, fake.origin);
    const failure = await failureOf(store.get('a', { signal: patience(), size: 3 }));
    assert.equal(failure.code, 'corrupt');
    assert.equal(fake.requests.length, 3);
  });
});

describe('a body that drips', () => {
  const bodyBounds = { leastBytesPerSecond: 100_000, windowMs: 50, graceMs: 60_000 };

  test('is unreachable, whatever it still sends', async (t) => {
    const fake = await FakeStore.start(t, ({ headers }) => dripping(headers));
    const { store } = openStore(t, fake.origin, { bodyBounds });
    const { body } = await store.get('a', { signal: patience(), size: LARGE.length });
    assert.equal((await failureOf(read(body))).code, 'unreachable');
    assert.equal(fake.requests.length, 3);
  });

  test('is continued where another connection is fast', async (t) => {
    const fake = await FakeStore.start(t, ({ headers }, index) =>
      index === 0 ? dripping(headers) : partOf(headers),
    );
    const { store } = openStore(t, fake.origin, { bodyBounds });
    const { body } = await store.get('a', { signal: patience(), size: LARGE.length });
    assert.deepEqual(await read(body), LARGE);
  });

  test('just above the least rate ends with the time that its length may take', async (t) => {
    const bounds = { leastBytesPerSecond: 1e7, windowMs: 1e6, graceMs: 100 };
    const fake = await FakeStore.start(t, ({ headers }) => dripping(headers));
    const { store } = openStore(t, fake.origin, { bodyBounds: bounds });
    const { body } = await store.get('a', { signal: patience(), size: LARGE.length });
    const failure = await failureOf(read(body));
    assert.equal(failure.code, 'unreachable');
  });

  test('that is short ends with its deadline', async (t) => {
    const fake = await FakeStore.start(t, () => ({ ...object(SMALL), dripMs: 50 }));
    const { store } = openStore(t, fake.origin);
    const failure = failureOf(store.get('a', { signal: patience(), deadlineMs: 200 }));
    assert.equal((await failure).code, 'unreachable');
  });

  test('is not one where its reader is slow', async (t) => {
    const fake = await FakeStore.start(t, () => object(LARGE));
    const { store } = openStore(t, fake.origin, { bodyBounds: { ...bodyBounds, windowMs: 1 } });
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await store.get('a', { signal: patience() })).body) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      chunks.push(chunk);
    }
    assert.deepEqual(Buffer.concat(chunks), LARGE);
  });

  function partOf({ range = '' }: SeenRequest['headers']) {
    const start = Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0);
    if (range === '') return object(LARGE);
    const place = { 'content-range': `bytes ${start}-${LARGE.length - 1}/${LARGE.length}` };
    return { ...object(LARGE.subarray(start), place), status: 206 };
  }

  function dripping(headers: SeenRequest['headers']) {
    return { ...partOf(headers), dripMs: 5 };
  }
});

describe('a header that comes twice', () => {
  test('is accepted if both values agree', async (t) => {
    const headers = { etag: ['"e"', '"e"'], 'last-modified': ['Wed, 12 Oct 2022 17:50:00 GMT', 'never'] };
    const fake = await FakeStore.start(t, () => object(SMALL, headers));
    const { store } = openStore(t, fake.origin);
    const { etag, lastModified } = await store.get('a', { signal: patience() });
    assert.deepEqual([etag, lastModified], ['e', 0]);
  });

  test('is a bad answer where it is two ETags', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL, { etag: ['"e"', '"f"'] }));
    const { store } = openStore(t, fake.origin);
    for (const asking of [store.get('a', { signal: patience() }), store.head('a', { signal: patience() })]) {
      const failure = await failureOf(asking);
      assert.equal(failure.code, 'bad-answer');
      assert.match(failure.message, /two different ETags/);
    }
  });

  for (const status of [301, 302, 307]) {
    test(`is an error of the store where it is two places to go to: ${status}`, async (t) => {
      const headers = { location: ['http://one.example/', 'http://other.example/'] };
      const fake = await FakeStore.start(t, () => ({ status, headers }));
      const { store } = openStore(t, fake.origin);
      assert.equal((await failureOf(store.get('a', { signal: patience() }))).code, 'not-s3');
    });
  }
});

describe('an ETag that listings would refuse', () => {
  for (const etag of ['""', '', '"a b"', `"${'x'.repeat(1025)}"`, '"a\u00e9"']) {
    test(`is none, of an answer to GET: ${JSON.stringify(etag.slice(0, 12))}`, async (t) => {
      const fake = await FakeStore.start(t, () => object(SMALL, { etag }));
      const { store } = openStore(t, fake.origin);
      assert.equal((await failureOf(store.get('a', { signal: patience() }))).code, 'not-s3');
      const { etag: none } = await store.get('a', { signal: patience(), withoutEtag: true });
      assert.equal(none, '');
    });
  }
});

test('tries are bounded in their number, whatever they fail with', async (t) => {
  const fake = await FakeStore.start(t, () => ({ status: 500, body: '' }));
  const { store } = openStore(t, fake.origin);
  assert.equal((await failureOf(store.get('a', { signal: patience() }))).code, 'unreachable');
  assert.equal(fake.requests.length, 20);
});

describe('ETags that look like an MD5 and are none', () => {
  const ROTTEN: Answering = ({ url }) =>
    object(`content of ${url}`, { etag: `"${etagOf(Buffer.from(`${url}!`))}"` });

  test('count as none after eight objects, and from then on length alone is checked', async (t) => {
    const fake = await FakeStore.start(t, ROTTEN);
    const { store } = openStore(t, fake.origin);
    for (let i = 0; i < 7; i++) {
      assert.equal((await failureOf(store.get(`f${i}`, { signal: patience() }))).code, 'corrupt');
    }
    await store.get('f7', { signal: patience() });
    await store.get('f0', { signal: patience() });
    fake.answering = () => object('content', { etag: `"${'0'.repeat(32)}"`, 'content-length': '9' });
    const cut = failureOf(store.get('f1', { signal: patience(), deadlineMs: 300 }));
    assert.notEqual((await cut).code, 'changed');
  });

  test('are MD5s again as soon as one is', async (t) => {
    const fake = await FakeStore.start(t, ROTTEN);
    const { store } = openStore(t, fake.origin);
    for (let i = 0; i < 8; i++) await store.get(`f${i}`, { signal: patience() }).catch(() => undefined);
    fake.answering = () => object(SMALL, { etag: `"${etagOf(SMALL)}"` });
    await store.get('good', { signal: patience() });
    fake.answering = () => object(flipped(SMALL, 1), { etag: `"${etagOf(SMALL)}"` });
    assert.equal((await failureOf(store.get('bad', { signal: patience() }))).code, 'corrupt');
  });

  test('are not assumed where any object matched, however many are damaged', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL, { etag: `"${etagOf(SMALL)}"` }));
    const { store } = openStore(t, fake.origin);
    await store.get('good', { signal: patience() });
    fake.answering = ROTTEN;
    for (let i = 0; i < 30; i++) {
      assert.equal((await failureOf(store.get(`f${i}`, { signal: patience() }))).code, 'corrupt');
    }
  });
});
