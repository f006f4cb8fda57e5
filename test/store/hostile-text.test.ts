import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ListingColumns } from '../../src/store/listing/columns.ts';
import { scanListingPage } from '../../src/store/listing/scanner.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { HOSTILE, HOSTILE_TEXT, leftRaw } from '../support/hostile-text.ts';
import { errorDocument, FakeStore, type Reply } from './fake-store.ts';
import { CREDENTIALS, failureOf, openStore, patience, SECRET } from './open-store.ts';

function assertClean(error: StoreError): void {
  assert.deepEqual(leftRaw(`${error.message}${error.detail}${error.hint}`), []);
}

/** The hostile text as XML references. */
const ESCAPED = [...HOSTILE_TEXT].map((each) => `&#${each.codePointAt(0)};`).join('');
const PLACES: readonly string[] = ['KeyCount', 'Prefix', 'IsTruncated', 'EncodingType', 'MaxKeys', 'Name'];
const ROWS: readonly string[] = ['Key', 'LastModified', 'ETag', 'Size', 'StorageClass', HOSTILE_TEXT];

function page(place: string, text: string): Buffer {
  const row = new Map([
    ['Key', 'dags/a.py'],
    ['LastModified', '2026-01-01T00:00:00.000Z'],
    ['ETag', '"e"'],
    ['Size', '3'],
    ['StorageClass', 'STANDARD'],
  ]);
  const head = new Map([
    ['Prefix', 'dags/'],
    ['KeyCount', '1'],
    ['IsTruncated', 'false'],
    ['EncodingType', 'url'],
  ]);
  (ROWS.includes(place) ? row : head).set(place, text);
  const written = (fields: ReadonlyMap<string, string>): string =>
    [...fields].map(([name, value]) => `<${name}>${value}</${name}>`).join('');
  return Buffer.from(
    `<ListBucketResult>${written(head)}<Contents>${written(row)}</Contents></ListBucketResult>`,
  );
}

describe('text of a store in an error', () => {
  for (const place of [...PLACES, ...ROWS]) {
    test(`is clean, wherever in a listing it stands: ${JSON.stringify(place)}`, () => {
      for (const text of [HOSTILE_TEXT, ESCAPED, ...HOSTILE, `9${HOSTILE_TEXT}`]) {
        const columns = new ListingColumns();
        try {
          scanListingPage(page(place, text), { prefix: Buffer.from('dags/'), columns });
        } catch (error) {
          assert.ok(error instanceof StoreError, String(error));
          assertClean(error);
        }
      }
    });
  }

  const replies: readonly (readonly [says: string, reply: Reply])[] = [
    ['its message', { status: 403, body: errorDocument('AccessDenied', HOSTILE_TEXT) }],
    ['its message, by references', { status: 403, body: errorDocument('AccessDenied', ESCAPED) }],
    ['its code', { status: 400, body: errorDocument(`Odd${HOSTILE_TEXT}`) }],
    [
      'its region',
      { status: 301, body: errorDocument('PermanentRedirect', '', `<Region>${ESCAPED}</Region>`) },
    ],
    ['a redirection', { status: 302, headers: { location: 'http://other/\u009b31m\u0085' } }],
    ['an error with status 200', { status: 200, body: errorDocument('InternalError', HOSTILE_TEXT) }],
    ['the ETag of an object', { status: 200, headers: { etag: '"\u009b31m"' }, body: 'x' }],
  ];
  for (const [says, reply] of replies) {
    test(`is clean where it is ${says}`, async (t) => {
      const fake = await FakeStore.start(t, () => reply);
      const { store } = openStore(t, fake.origin);
      const tries = [
        store.get('a.py', { signal: patience() }),
        store.head('a.py', { signal: patience() }),
        store.list({ signal: patience() }),
      ];
      for (const outcome of await Promise.allSettled(tries)) {
        if (outcome.status === 'fulfilled') continue;
        assert.ok(outcome.reason instanceof StoreError, String(outcome.reason));
        assertClean(outcome.reason);
      }
    });
  }

  test('is clean in whatever an error is made of', () => {
    const error = new StoreError('denied', `a ${HOSTILE_TEXT}`, `b ${HOSTILE_TEXT}`, false);
    assertClean(error);
    assert.match(error.detail, /\\x1b\[2J/);
  });

  test('loses its line ends and indentation, which are of the document', () => {
    assert.equal(new StoreError('denied', 'AccessDenied:\n    no. ', '', false).detail, 'AccessDenied: no.');
  });
});

describe('an answer that repeats the credentials', () => {
  const TOKEN = 'the/session+token==';
  const references = (text: string): string => [...text].map((each) => `&#${each.codePointAt(0)};`).join('');
  for (const [says, repeated] of [
    ['as they are', (text: string) => text],
    ['by references', references],
    ['beyond what is shown of a message', (text: string) => `${'x'.repeat(495)}${text}`],
  ] as const) {
    test(`${says} gives an error without them`, async (t) => {
      const body = errorDocument('SignatureDoesNotMatch', `signed ${repeated(TOKEN)} by ${repeated(SECRET)}`);
      const fake = await FakeStore.start(t, () => ({ status: 403, body }));
      const credentials = async () => ({ ...CREDENTIALS, sessionToken: TOKEN });
      const { http } = openStore(t, fake.origin, { credentials });
      for (const operation of ['list', 'get'] as const) {
        const error = await failureOf(http.send({ operation, key: 'dags/a.py' }, patience()));
        assert.equal(error.code, 'denied');
        assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /the[/]ses|the-sec/);
      }
    });
  }
});
