import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { waitFor } from '../support/wait-for.ts';
import {
  type Answering,
  errorDocument,
  etagOf,
  FakeStore,
  flipped,
  LAST_MODIFIED,
  object,
  type Reply,
} from './fake-store.ts';
import { failureOf, openStore, patience, read } from './open-store.ts';

const SMALL = Buffer.from('import airflow\n');
/** Longer than what the store's client collects before it hands bytes out, and than what it reads ahead. */
const LARGE = randomBytes(1_000_003);

/** Answers as S3 does: ranges, If-Match. */
function serving(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Answering {
  const etag = `"${etagOf(body)}"`;
  return (request) => {
    const { range, 'if-match': ifMatch } = request.headers;
    if (ifMatch !== undefined && ifMatch !== etag)
      return { status: 412, body: errorDocument('PreconditionFailed') };
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (first === undefined) return object(body, { etag, ...headers });
    const start = Number(first);
    const end = Math.min(Number(last) + 1, body.length);
    if (start >= body.length) return { status: 416, body: errorDocument('InvalidRange') };
    const part = object(body.subarray(start, end), {
      etag,
      'content-range': `bytes ${start}-${end - 1}/${body.length}`,
    });
    return { ...part, status: 206 };
  };
}

test('an object comes with its bytes and what the store knows of it', async (t) => {
  const fake = await FakeStore.start(t, serving(SMALL, { 'x-amz-version-id': 'v1' }));
  const { store } = openStore(t, fake.origin);
  const { body, ...head } = await store.get('a/b.py', { signal: patience() });
  assert.deepEqual(await read(body), SMALL);
  const expected = {
    etag: etagOf(SMALL),
    size: SMALL.length,
    lastModified: Date.parse(LAST_MODIFIED),
    versionId: 'v1',
  };
  assert.deepEqual(head, expected);
  assert.deepEqual(await store.head('a/b.py', { signal: patience() }), expected);
  assert.equal(fake.requests[0]?.url, '/bucket/dags/a/b.py');
});

test('the bytes are asked for, and taken, as they are stored', async (t) => {
  const gzipped = Buffer.from('1f8b0800', 'hex');
  const fake = await FakeStore.start(t, serving(gzipped, { 'content-encoding': 'gzip' }));
  const { store } = openStore(t, fake.origin);
  assert.deepEqual(await read((await store.get('a.gz', { signal: patience() })).body), gzipped);
  assert.equal(fake.requests[0]?.headers['accept-encoding'], 'identity');
});

test('an empty object has no bytes', async (t) => {
  const fake = await FakeStore.start(t, serving(Buffer.alloc(0)));
  const { store } = openStore(t, fake.origin);
  const { body, size } = await store.get('__init__.py', { signal: patience() });
  assert.equal(size, 0);
  assert.deepEqual(await read(body), Buffer.alloc(0));
});

test('the version id of a bucket without versions is none', async (t) => {
  const fake = await FakeStore.start(t, serving(SMALL, { 'x-amz-version-id': 'null' }));
  const { store } = openStore(t, fake.origin);
  assert.equal((await store.head('a', { signal: patience() })).versionId, undefined);
});

test('keys are sent byte for byte, whatever they look like', async (t) => {
  const fake = await FakeStore.start(t, serving(SMALL));
  const { store } = openStore(t, fake.origin);
  for (const key of ['../x', './y', 'a//b', 'sp ace+%2F?#&', "ü!'()*~", '\u0001']) {
    await store.get(key, { signal: patience() });
  }
  assert.deepEqual(
    fake.requests.map(({ url }) => url.slice('/bucket/dags/'.length)),
    ['../x', './y', 'a//b', 'sp%20ace%2B%252F%3F%23%26', '%C3%BC%21%27%28%29%2A~', '%01'],
  );
});

describe('a large object', () => {
  test('comes in pieces', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('big', { signal: patience() });
    let pieces = 0;
    for await (const piece of body) if (piece.length > 0) pieces++;
    assert.ok(pieces > 1);
  });

  test('that breaks off is continued where it ended, as the same version', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const whole = fake.answering;
    fake.answering = (request, index) => {
      const reply = whole(request, index);
      return index < 2 && typeof reply === 'object' ? { ...reply, cutAfter: 300_000 } : reply;
    };
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('big', { signal: patience() });
    assert.deepEqual(await read(body), LARGE);
    assert.equal(fake.requests.length, 3);
    assert.equal(fake.requests[2]?.headers['if-match'], `"${etagOf(LARGE)}"`);
  });

  test('that stalls is continued, too', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const whole = fake.answering;
    fake.answering = (request, index) => {
      const reply = whole(request, index);
      return index === 0 && typeof reply === 'object' ? { ...reply, stallAfter: 300_000 } : reply;
    };
    const timeouts = { connect: 2000, firstByte: 20_000, stall: 50 };
    const { store } = openStore(t, fake.origin, { settings: { timeouts } });
    assert.deepEqual(await read((await store.get('big', { signal: patience() })).body), LARGE);
  });

  test('that breaks off and changes meanwhile is `changed`', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const before = serving(LARGE);
    const after = serving(flipped(LARGE, 5));
    fake.answering = (request, index) => {
      const reply = index === 0 ? before(request, index) : after(request, index);
      return index === 0 && typeof reply === 'object' ? { ...reply, cutAfter: 300_000 } : reply;
    };
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('big', { signal: patience() });
    assert.equal((await failureOf(read(body))).code, 'changed');
  });

  test('that always breaks off at the same place is given up', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const whole = fake.answering;
    fake.answering = (request, index) => {
      const reply = whole(request, index);
      return typeof reply === 'object' ? { ...reply, cutAfter: index === 0 ? 300_000 : 0 } : reply;
    };
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('big', { signal: patience(), deadlineMs: 500 });
    assert.equal((await failureOf(read(body))).code, 'unreachable');
  });

  test('of a store that ignores ranges is not continued', async (t) => {
    const fake = await FakeStore.start(t, (_request, index) => {
      const whole = object(LARGE, { etag: `"${etagOf(LARGE)}"` });
      return index === 0 ? { ...whole, cutAfter: 300_000 } : whole;
    });
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('big', { signal: patience() });
    assert.equal((await failureOf(read(body))).code, 'unreachable');
    assert.equal(fake.requests.length, 2);
  });

  test('that is garbled is `corrupt` before its last piece is delivered', async (t) => {
    const fake = await FakeStore.start(t, () => object(flipped(LARGE, 7), { etag: `"${etagOf(LARGE)}"` }));
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('big', { signal: patience() });
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of body) bytes += chunk.length;
    })();
    assert.equal((await failureOf(reading)).code, 'corrupt');
    assert.ok(bytes < LARGE.length);
  });

  test('that is left early gives its connection up, and its place', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const { store } = openStore(t, fake.origin, { concurrency: 1 });
    for (let round = 0; round < 3; round++) {
      for await (const _ of (await store.get('big', { signal: patience() })).body) break;
    }
    assert.deepEqual(await read((await store.get('big', { signal: patience() })).body), LARGE);
  });

  test('that nobody reads gives its place up when the signal is aborted', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const { store } = openStore(t, fake.origin, { concurrency: 1 });
    const controller = new AbortController();
    const { body } = await store.get('big', { signal: controller.signal });
    controller.abort();
    assert.equal((await store.get('big', { signal: patience() })).size, LARGE.length);
    assert.equal((await failureOf(read(body))).code, 'aborted');
  });
});

describe('a range', () => {
  test('brings those bytes, and the size of the whole', async (t) => {
    const fake = await FakeStore.start(t, serving(LARGE));
    const { store } = openStore(t, fake.origin);
    const { body, size } = await store.get('big', { signal: patience(), range: { start: 10, end: 20 } });
    assert.deepEqual(await read(body), LARGE.subarray(10, 20));
    assert.equal(size, LARGE.length);
    assert.equal(fake.requests[0]?.headers.range, 'bytes=10-19');
    assert.equal(fake.requests[0]?.headers['x-amz-checksum-mode'], undefined);
  });

  test('past the end brings what is there', async (t) => {
    const fake = await FakeStore.start(t, serving(SMALL));
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('a', { signal: patience(), range: { start: 7, end: 4096 } });
    assert.deepEqual(await read(body), SMALL.subarray(7));
  });

  test('behind the end means that the object has changed', async (t) => {
    const fake = await FakeStore.start(t, serving(SMALL));
    const { store } = openStore(t, fake.origin);
    const failure = failureOf(store.get('a', { signal: patience(), range: { start: 100, end: 200 } }));
    assert.equal((await failure).code, 'changed');
  });

  test('behind the end, of a store that ignores ranges, too', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL));
    const { store } = openStore(t, fake.origin);
    const failure = failureOf(store.get('a', { signal: patience(), range: { start: 100, end: 200 } }));
    assert.equal((await failure).code, 'changed');
  });

  for (const [name, range] of [
    ['at the beginning', { start: 0, end: 300_000 }],
    ['in the middle', { start: 400_000, end: 700_000 }],
    ['at the end', { start: 900_000, end: LARGE.length }],
  ] as const) {
    test(`${name} is cut out of what a store sends that ignores ranges`, async (t) => {
      const fake = await FakeStore.start(t, () => object(LARGE));
      const { store } = openStore(t, fake.origin);
      const { body, size } = await store.get('big', { signal: patience(), range });
      assert.deepEqual(await read(body), LARGE.subarray(range.start, range.end));
      assert.equal(size, LARGE.length);
    });
  }

  test('is cut out of a short object, too', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL));
    const { store } = openStore(t, fake.origin);
    const { body } = await store.get('a', { signal: patience(), range: { start: 7, end: 10 } });
    assert.deepEqual(await read(body), SMALL.subarray(7, 10));
  });

  for (const range of ['bytes 11-20/1000', 'bytes 10-18/1000', 'bytes 10-20/1000']) {
    test(`other than the one asked for is refused: ${range}`, async (t) => {
      const part = { ...object(SMALL.subarray(0, 10), { 'content-range': range }), status: 206 };
      const fake = await FakeStore.start(t, () => part);
      const { store } = openStore(t, fake.origin);
      const failure = failureOf(store.get('a', { signal: patience(), range: { start: 10, end: 20 } }));
      assert.equal((await failure).code, 'corrupt');
    });
  }
});

describe('If-Match', () => {
  test('is sent with quotes, and what does not match is `changed`', async (t) => {
    const fake = await FakeStore.start(t, serving(SMALL));
    const { store } = openStore(t, fake.origin);
    await store.get('a', { signal: patience(), ifMatch: etagOf(SMALL) });
    assert.equal(fake.requests[0]?.headers['if-match'], `"${etagOf(SMALL)}"`);
    const failure = await failureOf(store.get('a', { signal: patience(), ifMatch: 'other' }));
    assert.equal(failure.code, 'changed');
    assert.equal(failure.retryable, false);
    assert.equal(fake.requests.length, 2);
  });

  test('that a store ignores is noticed by the ETag that comes', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL, { etag: '"new"' }));
    const { store } = openStore(t, fake.origin);
    assert.equal((await failureOf(store.get('a', { signal: patience(), ifMatch: 'old' }))).code, 'changed');
  });

  test('matches an ETag that a proxy has marked as weak', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL, { etag: 'W/"same"' }));
    const { store } = openStore(t, fake.origin);
    assert.equal((await store.get('a', { signal: patience(), ifMatch: 'same' })).etag, 'same');
    assert.equal((await store.get('a', { signal: patience(), ifMatch: 'W/"same"' })).etag, 'same');
    assert.equal(fake.requests[1]?.headers['if-match'], '"same"');
  });
});

describe('a short object', () => {
  const trouble: readonly (readonly [name: string, first: Reply])[] = [
    ['is truncated', { ...object(SMALL), cutAfter: 3 }],
    ['stalls', { ...object(SMALL), stallAfter: 3 }],
    ['is cut before it begins', 'cut'],
    ['is throttled', { status: 503, body: errorDocument('SlowDown') }],
    ['meets an internal error', { status: 500, body: errorDocument('InternalError') }],
    ['gets no answer', 'hang'],
  ];
  for (const [name, first] of trouble) {
    test(`that ${name} is fetched again`, async (t) => {
      const fake = await FakeStore.start(t, (_request, index) => (index === 0 ? first : object(SMALL)));
      const timeouts = { connect: 2000, firstByte: 50, stall: 50 };
      const { store, waits } = openStore(t, fake.origin, { settings: { timeouts } });
      assert.deepEqual(await read((await store.get('a', { signal: patience() })).body), SMALL);
      assert.equal(fake.requests.length, 2);
      assert.equal(waits.length, 1);
    });
  }

  for (const code of [
    'AccessDenied',
    'NoSuchKey',
    'PreconditionFailed',
    'NoSuchBucket',
    'InvalidObjectState',
  ]) {
    test(`that is refused with ${code} is not asked for again`, async (t) => {
      const fake = await FakeStore.start(t, () => ({ status: 403, body: errorDocument(code) }));
      const { store } = openStore(t, fake.origin);
      await failureOf(store.get('a', { signal: patience() }));
      assert.equal(fake.requests.length, 1);
    });
  }

  test('is given up at its deadline, with what the store said last', async (t) => {
    const fake = await FakeStore.start(t, (_request, index) =>
      index < 3 ? { status: 503, body: errorDocument('SlowDown') } : 'hang',
    );
    const { store } = openStore(t, fake.origin);
    const failure = failureOf(store.get('a', { signal: patience(), deadlineMs: 300 }));
    assert.equal((await failure).code, 'throttled');
  });

  test('that never gets an answer is unreachable at its deadline', async (t) => {
    const fake = await FakeStore.start(t, () => 'hang');
    const { store } = openStore(t, fake.origin);
    const failure = await failureOf(store.get('a', { signal: patience(), deadlineMs: 50 }));
    assert.equal(failure.code, 'unreachable');
    assert.match(failure.detail, /no answer within 0.05 s/);
  });

  test('is given up when the signal is aborted, and its connection closed', async (t) => {
    const fake = await FakeStore.start(t, () => 'hang');
    const { store } = openStore(t, fake.origin);
    const controller = new AbortController();
    const failure = failureOf(store.get('a', { signal: controller.signal }));
    await waitFor('the request', () => fake.requests.length === 1);
    controller.abort();
    assert.equal((await failure).code, 'aborted');
    await waitFor('the connection to be closed', () => fake.connections === 0);
  });

  test('is not asked for where the signal is aborted already', async (t) => {
    const fake = await FakeStore.start(t, () => object(SMALL));
    const { store } = openStore(t, fake.origin);
    const failure = await failureOf(store.get('a', { signal: AbortSignal.abort() }));
    assert.equal(failure.code, 'aborted');
    assert.equal(fake.requests.length, 0);
  });
});
