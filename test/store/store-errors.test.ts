import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { Operation } from '../../src/store/http/answer-error.ts';
import { StoreError, type StoreErrorCode } from '../../src/store/store-error.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { errorDocument, FakeStore, type Reply } from './fake-store.ts';
import { failureOf, openStore, patience, SECRET, type UnderTestOptions } from './open-store.ts';

interface Case {
  readonly says: string;
  readonly reply: Reply;
  readonly code: StoreErrorCode;
  /** Default: list and get. */
  readonly operations?: readonly Operation[];
  readonly hint?: RegExp;
  readonly message?: RegExp;
  readonly retryable?: boolean;
  readonly options?: UnderTestOptions;
}

const xml = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers,
  body: errorDocument(code),
});
const html = (status: number): Reply => ({ status, body: '<html><body>Sign in</body></html>' });

const ALL: readonly Operation[] = ['list', 'get', 'head'];
const BODIED: readonly Operation[] = ['list', 'get'];

const cases: readonly Case[] = [
  {
    says: '503 SlowDown',
    reply: xml(503, 'SlowDown'),
    code: 'throttled',
    retryable: true,
    hint: /--concurrency/,
  },
  {
    says: '503 ServiceUnavailable',
    reply: xml(503, 'ServiceUnavailable'),
    code: 'throttled',
    retryable: true,
  },
  {
    says: '400 RequestLimitExceeded',
    reply: xml(400, 'RequestLimitExceeded'),
    code: 'throttled',
    retryable: true,
  },
  { says: '429 without a word', reply: { status: 429 }, code: 'throttled', operations: ALL, retryable: true },
  {
    says: '503 without a word, to HEAD',
    reply: { status: 503 },
    code: 'throttled',
    operations: ['head'],
    retryable: true,
  },
  { says: '503 of a load balancer', reply: html(503), code: 'unreachable', retryable: true },
  {
    says: '500 InternalError',
    reply: xml(500, 'InternalError'),
    code: 'unreachable',
    operations: ALL,
    retryable: true,
  },
  { says: '502 of a load balancer', reply: html(502), code: 'unreachable', operations: ALL, retryable: true },
  {
    says: '504 without a word',
    reply: { status: 504 },
    code: 'unreachable',
    operations: ALL,
    retryable: true,
  },
  { says: '400 RequestTimeout', reply: xml(400, 'RequestTimeout'), code: 'unreachable', retryable: true },
  {
    says: '403 AccessDenied',
    reply: xml(403, 'AccessDenied'),
    code: 'denied',
    operations: ['list'],
    hint: /s3:ListBucket on arn:aws:s3:::bucket\./,
  },
  {
    says: '403 AccessDenied',
    reply: xml(403, 'AccessDenied'),
    code: 'denied',
    operations: ['get', 'head'],
    hint: /s3:GetObject on arn:aws:s3:::bucket\/dags\/\*/,
  },
  {
    says: '403 AccessDenied, unsigned',
    reply: xml(403, 'AccessDenied'),
    code: 'denied',
    options: { target: { anonymous: true } },
    hint: /--no-sign-request/,
  },
  {
    says: '403 InvalidAccessKeyId',
    reply: xml(403, 'InvalidAccessKeyId'),
    code: 'denied',
    operations: ALL,
    hint: /AWS_PROFILE/,
  },
  {
    says: '403 SignatureDoesNotMatch',
    reply: xml(403, 'SignatureDoesNotMatch'),
    code: 'denied',
    operations: ALL,
    hint: /secret access key/,
  },
  {
    says: '400 ExpiredToken',
    reply: xml(400, 'ExpiredToken'),
    code: 'expired',
    operations: ALL,
    hint: /Renew/,
  },
  { says: '400 InvalidToken', reply: xml(400, 'InvalidToken'), code: 'expired' },
  { says: '400 TokenRefreshRequired', reply: xml(400, 'TokenRefreshRequired'), code: 'expired' },
  { says: '404 NoSuchBucket', reply: xml(404, 'NoSuchBucket'), code: 'no-such-bucket', hint: /bucket/ },
  { says: '404 NoSuchKey', reply: xml(404, 'NoSuchKey'), code: 'gone', operations: ['get'] },
  { says: '404 without a word, to HEAD', reply: { status: 404 }, code: 'gone', operations: ['head'] },
  {
    says: '412 PreconditionFailed',
    reply: xml(412, 'PreconditionFailed'),
    code: 'changed',
    operations: ['get'],
  },
  { says: '416 InvalidRange', reply: xml(416, 'InvalidRange'), code: 'changed', operations: ['get'] },
  {
    says: '403 InvalidObjectState',
    reply: xml(403, 'InvalidObjectState'),
    code: 'unreadable-class',
    operations: ['get', 'head'],
    hint: /--exclude/,
  },
  {
    says: '403 RequestTimeTooSkewed',
    reply: xml(403, 'RequestTimeTooSkewed', { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }),
    code: 'clock-skew',
    options: { now: () => Date.UTC(2026, 0, 1, 0, 20, 0) },
    message: /this host is 1200 s ahead/,
    hint: /clock/,
  },
  {
    says: '403 RequestTimeTooSkewed, behind',
    reply: xml(403, 'RequestTimeTooSkewed', { date: 'Thu, 01 Jan 2026 01:00:00 GMT' }),
    code: 'clock-skew',
    options: { now: () => Date.UTC(2026, 0, 1, 0, 0, 0) },
    message: /this host is 3600 s behind/,
  },
  {
    says: '400 AuthorizationHeaderMalformed without a region',
    reply: xml(400, 'AuthorizationHeaderMalformed'),
    code: 'wrong-region',
    hint: /--region .* not us-east-1/,
  },
  {
    says: '301 PermanentRedirect without a region',
    reply: xml(301, 'PermanentRedirect'),
    code: 'wrong-region',
    hint: /--region/,
  },
  {
    says: '400 InvalidRequest',
    reply: xml(400, 'InvalidRequest'),
    code: 'bad-request',
    message: /InvalidRequest: as the store says/,
  },
  { says: 'a login page', reply: html(403), code: 'not-s3', hint: /--endpoint-url/ },
  { says: 'a 404 page', reply: html(404), code: 'not-s3', hint: /--endpoint-url/ },
  { says: '405 without a word', reply: { status: 405 }, code: 'not-s3' },
  {
    says: 'another kind of XML',
    reply: { status: 400, body: '<?xml version="1.0"?><Fault><Code>x</Code></Fault>' },
    code: 'not-s3',
  },
  {
    says: 'a redirect to somewhere',
    reply: { status: 301, headers: { location: 'https://elsewhere/' } },
    code: 'not-s3',
    message: /redirects to https:\/\/elsewhere\//,
    hint: /--endpoint-url/,
    operations: ALL,
  },
  { says: '407 of a proxy', reply: { status: 407 }, code: 'unreachable', hint: /USER:PASSWORD/ },
];

describe('an answer gets a code of its own, and a sentence on what to do', () => {
  for (const { says, reply, code, operations = BODIED, hint, message, retryable = false, options } of cases) {
    for (const operation of operations) {
      test(`${says} to ${operation} is ${code}`, async (t) => {
        const fake = await FakeStore.start(t, () => reply);
        const { http } = openStore(t, fake.origin, options);
        const error = await failureOf(http.send({ operation, key: 'dags/a.py' }, patience()));
        assert.equal(error.code, code);
        assert.equal(error.retryable, retryable);
        assert.match(error.hint, hint ?? /./);
        assert.match(error.message, message ?? /./);
        assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, new RegExp(SECRET));
      });
    }
  }
});

test('a 403 without a word is a denial, from a store that has spoken S3 before', async (t) => {
  const fake = await FakeStore.start(t, (_request, index) =>
    index === 0 ? xml(404, 'NoSuchKey') : html(403),
  );
  const { http } = openStore(t, fake.origin);
  assert.equal((await failureOf(http.send({ operation: 'get', key: 'a' }, patience()))).code, 'gone');
  assert.equal((await failureOf(http.send({ operation: 'get', key: 'a' }, patience()))).code, 'denied');
});

test('a 404 without a word never says that an object is gone, even of a store known to speak S3', async (t) => {
  const fake = await FakeStore.start(t, (_request, index) =>
    index === 0 ? xml(404, 'NoSuchKey') : html(404),
  );
  const { http } = openStore(t, fake.origin);
  await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
  assert.equal((await failureOf(http.send({ operation: 'get', key: 'a' }, patience()))).code, 'not-s3');
});

test('an object without an ETag does not come from S3', async (t) => {
  const fake = await FakeStore.start(t, () => ({ status: 200, body: '<html>Welcome</html>' }));
  const { store } = openStore(t, fake.origin);
  assert.equal((await failureOf(store.get('a.py', { signal: patience() }))).code, 'not-s3');
});

test('the words of a store are cleaned of control characters and cut', async (t) => {
  const message = `\u001b[31mred&#27;[0m\u202e ${'x'.repeat(5000)}`;
  const fake = await FakeStore.start(t, () => ({
    status: 400,
    body: errorDocument('InvalidRequest', message),
  }));
  const { http } = openStore(t, fake.origin);
  const { detail } = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
  assert.doesNotMatch(detail, /[\p{Cc}\p{Cf}]/u);
  assert.ok(detail.length < 600);
});

test('an error document without end is not read to its end', async (t) => {
  const body = `<Error><Code>AccessDenied</Code><Message>${'x'.repeat(1 << 20)}</Message></Error>`;
  const fake = await FakeStore.start(t, () => ({ status: 403, body }));
  const { http } = openStore(t, fake.origin);
  assert.equal((await failureOf(http.send({ operation: 'get', key: 'a' }, patience()))).code, 'not-s3');
});

test('an error document that breaks off leaves the status to go by', async (t) => {
  const fake = await FakeStore.start(t, () => ({
    status: 500,
    body: errorDocument('InternalError'),
    cutAfter: 20,
  }));
  const { http } = openStore(t, fake.origin);
  assert.equal((await failureOf(http.send({ operation: 'get', key: 'a' }, patience()))).code, 'unreachable');
});

describe('a connection that fails', () => {
  test('is unreachable if no process listens', async (t) => {
    const fake = await FakeStore.start(t, () => 'hang');
    const { origin } = fake;
    await fake.close();
    const { http } = openStore(t, origin);
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'unreachable');
    assert.equal(error.retryable, true);
    assert.match(error.message, /127\.0\.0\.1:\d+.*ECONNREFUSED/);
  });

  test('is unreachable if the name does not resolve', async (t) => {
    const { http } = openStore(t, 'http://bucket.dagmount.invalid');
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'unreachable');
    assert.match(error.hint, /name resolution/);
  });

  test('is unreachable if the connection is cut before an answer', async (t) => {
    const fake = await FakeStore.start(t, () => 'cut');
    const { http } = openStore(t, fake.origin);
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'unreachable');
    assert.equal(error.retryable, true);
  });

  test('is unreachable if no byte arrives in time', async (t) => {
    const fake = await FakeStore.start(t, () => 'hang');
    const timeouts = { connect: 2000, firstByte: 50, stall: 2000 };
    const { http } = openStore(t, fake.origin, { settings: { timeouts } });
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'unreachable');
    assert.match(error.detail, /ETIMEDOUT/);
  });

  test('is not S3 if the answer is not HTTP', async (t) => {
    const server = createServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    defer(t, async () => {
      server.close();
    });
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { http } = openStore(t, `http://127.0.0.1:${port}`);
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'not-s3');
    assert.match(error.hint, /https:\/\//);
  });

  test('is unreachable if the TLS handshake never ends', async (t) => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    defer(t, async () => {
      server.close();
    });
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const timeouts = { connect: 100, firstByte: 20_000, stall: 20_000 };
    const { http } = openStore(t, `https://127.0.0.1:${port}`, { settings: { timeouts } });
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'unreachable');
    assert.match(error.detail, /ETIMEDOUT/);
  });

  test('is not S3 if https meets plain HTTP', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 200 }));
    const { http } = openStore(t, fake.origin.replace('http:', 'https:'));
    const error = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(error.code, 'not-s3');
    assert.match(error.hint, /http:\/\//);
  });

  test('an ETag that cannot be in a header is a bad request, and not tried again', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 200 }));
    const { store, waits } = openStore(t, fake.origin);
    const error = await failureOf(store.get('a', { signal: patience(), ifMatch: 'a\r\nx: y' }));
    assert.equal(error.code, 'bad-request');
    assert.deepEqual(waits, []);
  });

  test('a closed store gives up what is under way and takes nothing more', async (t) => {
    const fake = await FakeStore.start(t, () => 'hang');
    const { store } = openStore(t, fake.origin);
    const underWay = failureOf(store.get('a', { signal: patience() }));
    await waitFor('the request', () => fake.requests.length > 0);
    await store.close();
    assert.equal((await underWay).code, 'aborted');
    assert.equal((await failureOf(store.get('a', { signal: patience() }))).code, 'aborted');
  });
});

test('every code has a sentence of its own', () => {
  const codes: readonly StoreErrorCode[] = [
    'unreachable',
    'throttled',
    'denied',
    'expired',
    'no-such-bucket',
    'changed',
    'gone',
    'corrupt',
    'clock-skew',
    'no-credentials',
    'wrong-region',
    'untrusted-certificate',
    'not-s3',
    'unreadable-class',
    'aborted',
    'bad-request',
  ];
  const sentences = new Set(codes.map((code) => new StoreError(code, '', '', false).message));
  assert.equal(sentences.size, codes.length);
});
