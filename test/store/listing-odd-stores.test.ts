import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ListingBudget } from '../../src/store/listing/budget.ts';
import { ListingColumns } from '../../src/store/listing/columns.ts';
import { PrefixLister, type PrefixListerOptions } from '../../src/store/listing/listing.ts';
import { PageReader } from '../../src/store/listing/page-reader.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { rowsOf } from './list-answers.ts';
import { byBytes, FakeListingStore, type FakeStoreOptions } from './list-store.ts';

const PREFIX = 'dags/';
const noPause = async (_milliseconds: number, signal: AbortSignal) => signal.throwIfAborted();

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${PREFIX}dag_${String(i).padStart(5, '0')}.py`);
}

function listerOf(store: Pick<FakeListingStore, 'fetchPage'>, options: Partial<PrefixListerOptions> = {}) {
  const lister = new PrefixLister({ fetchPage: store.fetchPage, prefix: PREFIX, sleep: noPause, ...options });
  return async () => rowsOf(await lister.list({ signal: new AbortController().signal }));
}

async function keysOf(list: ReturnType<typeof listerOf>): Promise<readonly string[]> {
  return (await list()).map(({ key }) => PREFIX + key);
}

async function failure(list: ReturnType<typeof listerOf>): Promise<StoreError> {
  try {
    await list();
  } catch (error) {
    assert.ok(error instanceof StoreError, `not a StoreError: ${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: 'listed' });
}

describe('a store that does not say where its listing goes on', () => {
  it('is asked for what lies behind the last key, in sequence as in parallel', async () => {
    const store = new FakeListingStore([...numbered(95), `${PREFIX}sp ace+%.py`], { says: 'truncated' });
    const list = listerOf(store);
    for (let round = 0; round < 3; round++) {
      store.requests.length = 0;
      assert.deepEqual(await keysOf(list), store.keys(PREFIX));
      assert.equal(store.requests.length, 10);
    }
  });

  it('is asked so too where it does not even say whether, once more than it has pages', async () => {
    for (const count of [1, 9, 10, 11, 95]) {
      const store = new FakeListingStore(numbered(count), { says: 'nothing' });
      assert.deepEqual(await keysOf(listerOf(store)), numbered(count));
      assert.ok(store.requests.length <= Math.floor(count / 10) + 2);
    }
  });

  it('may have lost what the last ranges of a parallel listing held', async () => {
    for (const says of ['truncated', 'nothing'] as const) {
      const store = new FakeListingStore(numbered(95), { says });
      const list = listerOf(store);
      await list();
      for (const key of numbered(95).slice(42)) store.delete(key);
      assert.deepEqual(await keysOf(list), numbered(42));
      for (const key of numbered(42)) store.delete(key);
      store.put(`${PREFIX}z`);
      assert.deepEqual(await keysOf(list), [`${PREFIX}z`]);
    }
  });

  it('is asked so where it does not encode keys either', async () => {
    const store = new FakeListingStore(numbered(35), { says: 'nothing', encodes: false });
    const list = listerOf(store);
    for (let round = 0; round < 3; round++) assert.deepEqual(await keysOf(list), numbered(35));
  });

  it('is believed to have sent all of a short page where it sends the same again', async () => {
    const store = new FakeListingStore(numbered(7), { says: 'nothing', startsAfter: false });
    const list = listerOf(store);
    for (let round = 0; round < 2; round++) assert.deepEqual(await keysOf(list), numbered(7));
  });

  it('is refused where it sends a full page again, or says that there is more', async () => {
    const full = new FakeListingStore(numbered(1500), {
      pageKeys: 1000,
      says: 'nothing',
      startsAfter: false,
    });
    const short = new FakeListingStore(numbered(30), { says: 'truncated', startsAfter: false });
    for (const store of [full, short]) {
      const { code, detail } = await failure(listerOf(store));
      assert.equal(code, 'corrupt');
      assert.match(detail, /it returns to the key "dags\/dag_00000\.py"/);
    }
  });

  it('is refused where nothing can be asked for: its keys are in no order, or it sent none', async () => {
    const backwards: FakeStoreOptions = { says: 'truncated', order: (left, right) => byBytes(right, left) };
    const unordered = await failure(listerOf(new FakeListingStore(numbered(30), backwards)));
    assert.equal(unordered.code, 'corrupt');
    assert.match(unordered.detail, /does not say where.*not in order.*"dags\/dag_00020\.py"/);
    for (const body of ['', '<IsTruncated>true</IsTruncated>']) {
      const store = new FakeListingStore([]);
      store.onAnswer = () => Buffer.from(`<ListBucketResult>${body}</ListBucketResult>`);
      assert.match((await failure(listerOf(store))).detail, /does not say where.*no object/);
    }
  });

  it('gives what it lists out of order where it has no more than a page', async () => {
    const store = new FakeListingStore(numbered(9), {
      says: 'nothing',
      order: (left, right) => byBytes(right, left),
    });
    assert.deepEqual(await keysOf(listerOf(store)), [...numbered(9)].reverse());
  });
});

describe('keys over 4,096 bytes', () => {
  it('are listed, cut, among the others, in sequence as in parallel', async () => {
    const long = Array.from(
      { length: 30 },
      (_, i) => `${PREFIX}m${'x'.repeat(5000)}${String(i).padStart(2, '0')}`,
    );
    const store = new FakeListingStore([...numbered(40), ...long, `${PREFIX}z.py`]);
    const list = listerOf(store);
    const expected = store.keys(PREFIX).map((key) => key.slice(0, PREFIX.length + 4097));
    for (let round = 0; round < 3; round++) assert.deepEqual(await keysOf(list), expected);
  });

  it('end a listing that does not say where it goes on behind one, and are named', async () => {
    const store = new FakeListingStore([...numbered(9), `${PREFIX}${'x'.repeat(5000)}`, `${PREFIX}z`], {
      says: 'truncated',
    });
    const { detail } = await failure(listerOf(store));
    assert.match(detail, /cannot be asked for: "dags\/x+…"/);
    assert.ok(detail.length < 400);
  });
});

type Damage =
  | { readonly kind: 'cut'; readonly where: number }
  | { readonly kind: 'lost' | 'token' | 'error' };

describe('a page that was read again', () => {
  it('leaves no rows of the first try', async () => {
    const store = new FakeListingStore(numbered(30));
    store.onAnswer = (bytes, request) =>
      request === 0 ? Buffer.from(bytes.toString().replace('after:', 'after:\ufffd')) : bytes;
    const reader = new PageReader({ fetchPage: store.fetchPage, prefix: PREFIX, sleep: noPause });
    const columns = new ListingColumns();
    const { signal } = new AbortController();
    await reader.read({}, columns, { signal, requests: 0, budget: new ListingBudget(100) });
    assert.deepEqual(
      rowsOf(columns).map(({ key }) => PREFIX + key),
      numbered(10),
    );
  });

  it('gives the listing that a store without faults gives, or an error, whatever was damaged in whichever page', async () => {
    const keys = [...numbered(45), `${PREFIX}ü +%.py`, `${PREFIX}${'x'.repeat(4200)}`, `${PREFIX}zz`];
    const damage: fc.Arbitrary<Damage> = fc.oneof(
      fc.record({ kind: fc.constant('cut' as const), where: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ kind: fc.constantFrom('lost' as const, 'token' as const, 'error' as const) }),
    );
    const damaged = (bytes: Buffer, fault: Damage | undefined): Buffer => {
      const text = bytes.toString('latin1');
      switch (fault?.kind) {
        case undefined:
          return bytes;
        case 'cut':
          return bytes.subarray(0, Math.floor(fault.where * (bytes.length - 1)));
        case 'lost':
          return Buffer.from(text.replace('</Contents>', ''), 'latin1');
        case 'token':
          return Buffer.from(text.replace('after:', 'after:\xef\xbf\xbd'), 'latin1');
        default:
          return Buffer.from('<Error><Code>SlowDown</Code></Error>');
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(damage, { nil: undefined }), { maxLength: 60 }),
        fc.constantFrom<FakeStoreOptions['says']>('both', 'truncated', 'nothing'),
        fc.boolean(),
        async (faults, says, encodes) => {
          const store = new FakeListingStore(keys, { says: says ?? 'both', encodes });
          const expected = await listerOf(store)();
          assert.deepEqual(expected.length, keys.length);
          const list = listerOf(store);
          const pending = [...faults];
          store.onAnswer = (bytes) => damaged(bytes, pending.shift());
          for (let round = 0; round < 4; round++) {
            let rows: Awaited<ReturnType<typeof list>>;
            try {
              rows = await list();
            } catch (error) {
              assert.ok(error instanceof StoreError, `not a StoreError: ${error}`);
              continue;
            }
            assert.deepEqual(rows, expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a listing without end', () => {
  const row = (key: string) =>
    `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05Z</LastModified><ETag>"e"</ETag><Size>5</Size></Contents>`;
  const page = (request: number, body: string) =>
    Buffer.from(
      `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>` +
        `<NextContinuationToken>t${request}</NextContinuationToken>${body}</ListBucketResult>`,
    );
  const endless = (body: (request: number) => string) => {
    const store = new FakeListingStore([]);
    store.onAnswer = (_bytes, request) => page(request, body(request));
    return store;
  };

  it('is refused where it sends the same keys again and again, with a new token each time', async () => {
    for (const rows of [row('dags/a') + row('dags/b'), row('dags/b') + row('dags/a'), row('dags/a')]) {
      const store = endless(() => rows);
      const { code, detail } = await failure(listerOf(store));
      assert.equal(code, 'corrupt');
      assert.match(detail, /it returns to the key "dags\/[ab]"/);
      assert.ok(store.requests.length < 20, `${store.requests.length} requests`);
    }
  });

  it('is refused where its pages hold next to nothing, but not before many of them came', async () => {
    const store = endless((request) => row(`dags/${String(request).padStart(6, '0')}`));
    const { code, detail } = await failure(listerOf(store));
    assert.equal(code, 'corrupt');
    assert.match(detail, /has not ended after \d+ pages with \d+ objects/);
    assert.ok(store.requests.length > 1000 && store.requests.length < 2000);
  });

  it('follows a thousand pages of one object each', async () => {
    const store = new FakeListingStore(numbered(1000), { pageKeys: 1 });
    assert.deepEqual(await keysOf(listerOf(store)), numbered(1000));
  });

  it('is refused where it always has new keys', async () => {
    const store = endless((request) =>
      Array.from({ length: 100 }, (_, i) => row(`dags/${String(request * 100 + i).padStart(9, '0')}`)).join(
        '',
      ),
    );
    const { code } = await failure(listerOf(store, { maxObjects: 5_000 }));
    assert.equal(code, 'bad-request');
    assert.equal(store.requests.length, 51);
  });

  it('is refused where its answers are long and hold next to nothing', async () => {
    const padding = `<!--${' '.repeat(8_000_000)}-->`;
    const store = endless((request) => row(`dags/${String(request).padStart(6, '0')}`) + padding);
    const { code, detail } = await failure(listerOf(store));
    assert.equal(code, 'corrupt');
    assert.match(detail, /has not ended after \d+ bytes with \d+ objects/);
    assert.ok(store.requests.length < 40, `${store.requests.length} requests`);
  });

  it('makes one range of a parallel listing no longer than some pages: then it starts over', async () => {
    const store = new FakeListingStore(numbered(80));
    const notices: string[] = [];
    const list = listerOf(store, { log: ({ event }) => notices.push(event) });
    await list();
    for (let i = 0; i < 12_000; i++) store.put(`${PREFIX}dag_00035_${String(i).padStart(6, '0')}.py`);
    store.options = { ...store.options, pageKeys: 1_000 };
    assert.equal((await keysOf(list)).length, 12_080);
    assert.deepEqual(notices, ['listing-changed-under-way']);
  });

  it('is not seen in pages that have become longer than the ranges that are read at a time', async () => {
    const store = new FakeListingStore(numbered(300), { pageKeys: 2 });
    const list = listerOf(store, { maxObjects: 400 });
    await list();
    store.options = { ...store.options, pageKeys: 300 };
    assert.deepEqual(await keysOf(list), numbered(300));
  });

  it('is refused in parallel as one after the other', async () => {
    const store = new FakeListingStore(numbered(80));
    const list = listerOf(store, { maxObjects: 200 });
    await list();
    store.onAnswer = (_bytes, request) =>
      page(
        request,
        [0, 1, 2].map((i) => row(`dags/dag_${String(request * 3 + i).padStart(9, '0')}`)).join(''),
      );
    store.requests.length = 0;
    await failure(list);
    assert.ok(store.requests.length < 400, `${store.requests.length} requests`);
  });
});
