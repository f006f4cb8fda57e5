import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { EtagTrust } from '../../src/store/etag-trust.ts';
import { ListedContent } from '../../src/store/listed-content.ts';
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, errorDocument, FakeStore, LAST_MODIFIED, object } from './fake-store.ts';
import { failureOf, openStore, patience, read } from './open-store.ts';

const BODY = Buffer.from('import airflow\n'.repeat(100));
const LISTED = {
  ifMatch: createHash('md5').update(BODY).digest('hex'),
  size: BODY.length,
  lastModified: Date.parse(LAST_MODIFIED),
};

interface Served {
  /** As in the header, including the quotes; empty: no header. */
  etag: string;
  body: Buffer;
  date: string;
  /** Whether the store honours If-Match, by strong comparison. */
  heeds: boolean;
  /** The ETag with which the store compares If-Match, where its answers do not say it. */
  kept?: string;
}

function answering(served: Served): Answering {
  return ({ headers }) => {
    const { etag, body, date } = served;
    const ifMatch = headers['if-match'];
    const own = served.kept ?? etag;
    if (served.heeds && ifMatch !== undefined && (ifMatch !== own || own.startsWith('W/'))) {
      return { status: 412, body: errorDocument('PreconditionFailed') };
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const said = { etag: etag === '' ? [] : etag, 'last-modified': date === '' ? [] : date };
    if (first === undefined) return object(body, said);
    const end = Math.min(Number(last) + 1, body.length);
    const place = { 'content-range': `bytes ${first}-${end - 1}/${body.length}` };
    return { ...object(body.subarray(Number(first), end), { ...said, ...place }), status: 206 };
  };
}

async function opened(t: Cleanup, changes: Partial<Served>, own = false) {
  const served = { etag: `"${LISTED.ifMatch}"`, body: BODY, date: LAST_MODIFIED, heeds: true, ...changes };
  const fake = await FakeStore.start(t, answering(served));
  const trust = new EtagTrust();
  if (own) trust.assumeOwn();
  const content = new ListedContent(openStore(t, fake.origin).store, trust);
  const get = (options = {}) => content.get('a', { ...LISTED, signal: patience(), ...options });
  const compare = () => content.compare('a', { ...LISTED, signal: patience(), range: { start: 0, end: 1 } });
  return { served, fake, trust, get, compare };
}

const OTHER = '"another-etag"';

describe('content as it was listed', () => {
  const readable: readonly (readonly [
    name: string,
    served: Partial<Served>,
    listed?: object,
    own?: boolean,
  ])[] = [
    ['with the listed ETag', {}],
    ['with the listed ETag, listed as a weak one', {}, { ifMatch: `W/"${LISTED.ifMatch}"` }],
    ['with the listed ETag as a weak one, which no If-Match holds for', { etag: `W/"${LISTED.ifMatch}"` }],
    ['without an ETag', { etag: '' }],
    ['with an empty ETag', { etag: '""', heeds: false }],
    ['with neither ETag nor date', { etag: '', date: '' }],
    ['with any ETag, where the listing has none', { etag: OTHER }, { ifMatch: ' 1665597000000' }],
    ['with any weak ETag, where the listing has none', { etag: `W/${OTHER}` }, { ifMatch: ' 1665597000000' }],
    ['with none, where the listing has none', { etag: '' }, { ifMatch: ' 1665597000000' }],
    ['with another ETag, where listings have their own', { etag: OTHER }, {}, true],
    ['with another weak ETag, where listings have their own', { etag: `W/${OTHER}` }, {}, true],
    [
      'a second later than listed, where listings have their own',
      { etag: OTHER },
      { lastModified: LISTED.lastModified - 1000 },
      true,
    ],
  ];
  for (const heeds of [true, false]) {
    for (const [name, served, listed = {}, own = false] of readable) {
      test(`comes ${name}${heeds ? '' : ', of a store that ignores If-Match'}, whole and in parts`, async (t) => {
        const { get } = await opened(t, { heeds, ...served }, own);
        const whole = await get(listed);
        assert.deepEqual(await read(whole.body), BODY);
        // A request by the listed ETag is answered with the listed ETag.
        assert.equal(whole.etag, { ...LISTED, ...listed }.ifMatch);
        for (const range of [
          { start: 0, end: 700 },
          { start: 700, end: BODY.length },
        ]) {
          const part = await get({ ...listed, range });
          assert.deepEqual(await read(part.body), BODY.subarray(range.start, range.end));
        }
      });
    }
  }

  const later = 'Wed, 12 Oct 2022 17:50:09 GMT';
  const longer = Buffer.concat([BODY, BODY]);
  const replaced: readonly (readonly [
    name: string,
    served: Partial<Served>,
    listed?: object,
    own?: boolean,
  ])[] = [
    ['another ETag', { etag: OTHER }],
    ['another ETag, another size and date', { etag: OTHER, body: longer, date: later }],
    ['another date and no ETag', { etag: '', date: later }],
    ['another size and no ETag', { etag: '', body: longer }],
    ['another date, where the listing has no ETag', { etag: OTHER, date: later }, { ifMatch: ' 1' }],
    ['another size, where the listing has no ETag', { etag: OTHER, body: longer }, { ifMatch: ' 1' }],
    ['another date, where listings have their own ETags', { etag: OTHER, date: later }, {}, true],
    ['another size, where listings have their own ETags', { etag: OTHER, body: longer }, {}, true],
  ];
  for (const heeds of [true, false]) {
    for (const [name, served, listed = {}, own = false] of replaced) {
      test(`is changed where it comes with ${name}${heeds ? '' : ', of a store that ignores If-Match'}`, async (t) => {
        const { get } = await opened(t, { heeds, ...served }, own);
        assert.equal((await failureOf(get(listed))).code, 'changed');
        assert.equal((await failureOf(get({ ...listed, range: { start: 0, end: 5 } }))).code, 'changed');
      });
    }
  }

  test('is of one version in all its parts where the store compares ETags that it does not tell', async (t) => {
    for (const date of ['', LAST_MODIFIED]) {
      const { served, get } = await opened(t, { etag: '', date, kept: `"${LISTED.ifMatch}"` });
      await read((await get({ range: { start: 0, end: 700 } })).body);
      Object.assign(served, { kept: OTHER, body: Buffer.from(BODY).fill('x') });
      assert.equal((await failureOf(get({ range: { start: 700, end: 1400 } }))).code, 'changed');
      // For a version of which nothing was read yet, it is enough that the date is the listed one.
      const unread = get({ ifMatch: 'of-another-version' });
      if (date === '') assert.equal((await failureOf(unread)).code, 'changed');
      else await read((await unread).body);
    }
  });

  for (const [name, before, after, listed = {}, own = false] of [
    ['listings have their own ETags', { etag: OTHER }, { etag: '"third"' }, {}, true],
    ['the listing has no ETag', { etag: OTHER }, { etag: '"third"' }, { ifMatch: ' 1' }],
    ['there are only weak ETags', { etag: `W/"${LISTED.ifMatch}"` }, { etag: `W/${OTHER}` }],
    ['there are no ETags', { etag: '' }, { etag: '', date: 'Wed, 12 Oct 2022 17:50:01 GMT' }],
  ] as const) {
    test(`is of one version in all its parts, also where ${name}`, async (t) => {
      for (const heeds of [true, false]) {
        const { served, get } = await opened(t, { heeds, ...before }, own);
        await read((await get({ ...listed, range: { start: 0, end: 700 } })).body);
        Object.assign(served, after, { body: Buffer.from(BODY).fill('x') });
        const second = failureOf(get({ ...listed, range: { start: 700, end: 1400 } }));
        assert.equal((await second).code, 'changed');
      }
    });
  }

  test('costs one request where ETags are what they should be', async (t) => {
    const { fake, get } = await opened(t, {});
    await get();
    assert.equal(fake.requests.length, 1);
    assert.equal(fake.requests[0]?.headers['if-match'], `"${LISTED.ifMatch}"`);
  });

  test('is asked for by the ETag that GET gave, once it is known, and by none that cannot match', async (t) => {
    const { served, fake, get } = await opened(t, { etag: OTHER }, true);
    await get();
    await get();
    assert.deepEqual(
      fake.requests.map(({ headers }) => headers['if-match']),
      [undefined, OTHER],
    );
    served.etag = `W/"${LISTED.ifMatch}"`;
    const weak = await opened(t, served);
    await weak.get();
    await weak.get();
    assert.deepEqual(
      weak.fake.requests.map(({ headers }) => headers['if-match']),
      [`"${LISTED.ifMatch}"`, undefined, undefined],
    );
  });

  test('that is damaged is corrupt, not changed, where its ETag is the right one', async (t) => {
    const { get } = await opened(t, { body: BODY.subarray(1) });
    assert.equal((await failureOf(get())).code, 'corrupt');
    const weak = await opened(t, { etag: `W/"${LISTED.ifMatch}"`, body: BODY.subarray(1) });
    assert.equal((await failureOf(weak.get())).code, 'corrupt');
  });
});

test('a comparison binds nothing: a store may give another ETag each time', async (t) => {
  const { served, get, compare } = await opened(t, { etag: OTHER }, true);
  await compare();
  served.etag = '"a-third-etag"';
  assert.deepEqual(await read((await get()).body), BODY);
  served.date = 'Fri, 01 Jan 2027 00:00:00 GMT';
  await assert.rejects(compare(), { code: 'changed' });
});

describe('whether listings have ETags of their own', () => {
  function judged(differing: readonly string[], digests: readonly string[], files = 100): boolean {
    const trust = new EtagTrust();
    trust.expect(files);
    for (const digest of digests) {
      const before = trust.listing();
      trust.listed(digest, before);
      for (const path of differing) trust.differs(path);
    }
    return trust.own;
  }

  test('is found by three objects that differ between two equal listings', () => {
    assert.equal(judged(['a', 'b', 'c'], ['one', 'one']), true);
    assert.equal(judged(['a', 'b', 'c'], ['one', 'two']), false);
    assert.equal(judged(['a', 'b'], ['one', 'one', 'one', 'one']), false);
  });

  test('is found in a smaller tree by all of its files, twice', () => {
    assert.equal(judged(['a'], ['one', 'one'], 1), false);
    assert.equal(judged(['a'], ['one', 'one', 'one'], 1), true);
    assert.equal(judged(['a'], ['one', 'one', 'one'], 2), false);
    assert.equal(judged(['a', 'b'], ['one', 'one', 'one'], 2), true);
    assert.equal(judged([], ['one', 'one', 'one'], 0), false);
  });

  test('is not found by what differs while a listing is under way, which may not show the change', () => {
    const trust = new EtagTrust();
    trust.listed('one', trust.listing());
    const before = trust.listing();
    for (const path of ['a', 'b', 'c']) trust.differs(path);
    trust.listed('one', before);
    assert.equal(trust.own, false);
    trust.listed('two', trust.listing());
    trust.listed('two', trust.listing());
    assert.equal(trust.own, false);
  });

  test('is not a question where size or date differ as well: the object was replaced', async (t) => {
    const { trust, get } = await opened(t, { etag: OTHER, date: 'Wed, 12 Oct 2022 17:50:09 GMT' });
    await failureOf(get());
    assert.equal(trust.noted.size, 0);
    const same = await opened(t, { etag: OTHER });
    await failureOf(same.get());
    assert.deepEqual([...same.trust.noted], ['a']);
  });
});
