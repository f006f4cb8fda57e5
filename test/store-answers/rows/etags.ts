import { createHash, randomBytes } from 'node:crypto';
import type { ListedRow } from '../bucket.ts';
import { rowsChanged } from '../listed.ts';
import { content, notHere, object, type Row } from '../seen.ts';
import {
  type Answer,
  type Change,
  changed,
  type Fault,
  headerOf,
  refusal,
  send,
  withHeaders,
  without,
} from '../wire.ts';

const fine: Row['seen'] = { listing: content, first: content, later: content, range: content };

function withEtag(right: Answer, etag: string): Answer {
  return right.status >= 400 ? right : withHeaders(right, ['ETag', etag]);
}

const bare = (right: Answer): string => headerOf(right, 'ETag').replaceAll('"', '');
const md5 = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('hex');
const listed = (change: (etag: string) => string | undefined): Fault =>
  rowsChanged((row) => ({ ...row, ETag: change(row.ETag?.replaceAll('&quot;', '') ?? '') }), 'one');

/** For one object: its ETag in the listing and in the answer to GET does no harm. */
function harmless(name: string, inList: (etag: string) => string | undefined, inGet: Change): Row {
  return { name, list: listed(inList), get: changed(inGet), seen: fine };
}

/** For one object: its row in the listing is usable, but the answer to GET is not that object. */
function another(
  name: string,
  inList: (etag: string) => string | undefined,
  inGet: Change,
  ...codes: string[]
): Row {
  const one = object(...codes);
  return {
    name,
    list: listed(inList),
    get: changed(inGet),
    seen: { listing: content, first: one, later: one, range: one },
  };
}

const ofOne: readonly Row[] = [
  // A store that heeds If-Match need not say which version it gives.
  harmless(
    'no ETag',
    () => undefined,
    (right) => without(right, 'ETag'),
  ),
  harmless(
    'an empty ETag',
    () => '',
    (right) => withEtag(right, ''),
  ),
  harmless(
    'an ETag of two quotes',
    () => '&quot;&quot;',
    (right) => withEtag(right, '""'),
  ),
  {
    name: 'no ETag, and as many other bytes',
    get: changed((right) => ({ ...without(right, 'ETag'), body: Buffer.alloc(right.body.length, 'other ') })),
    seen: {
      listing: notHere('a listing has no ETag'),
      first: object('corrupt'),
      later: object('corrupt'),
      range: notHere('S3 gives no checksum of a part: it is checked by length'),
    },
  },
  harmless(
    'an ETag without quotes',
    (etag) => etag,
    (right) => withEtag(right, bare(right)),
  ),
  harmless(
    'a weak ETag',
    (etag) => `W/&quot;${etag}&quot;`,
    (right) => withEtag(right, `W/"${bare(right)}"`),
  ),
  harmless(
    'an ETag with spaces around it',
    (etag) => ` &quot;${etag}&quot; `,
    (right) => withEtag(right, `  "${bare(right)}"  `),
  ),
  {
    name: 'two ETags that are equal',
    get: changed((right) => ({ ...right, headers: [...right.headers, ['ETag', headerOf(right, 'ETag')]] })),
    seen: { ...fine, listing: notHere('a field that comes twice is in the rows of listings') },
  },
  {
    name: 'two ETags that differ',
    get: changed((right) => ({ ...right, headers: [['ETag', '"another"'], ...right.headers] })),
    seen: {
      listing: notHere('a field that comes twice is in the rows of listings'),
      first: object('changed', 'not-s3', 'corrupt', 'bad-answer'),
      later: object('changed', 'not-s3', 'corrupt', 'bad-answer'),
      range: object('changed', 'not-s3', 'corrupt', 'bad-answer'),
    },
  },
  another(
    'another ETag each time',
    () => `&quot;${randomBytes(8).toString('hex')}&quot;`,
    (right) => withEtag(right, `"${randomBytes(8).toString('hex')}"`),
    'changed',
  ),
  harmless(
    'an ETag of 8 KB',
    () => `&quot;${'e'.repeat(8_000)}&quot;`,
    (right) => withEtag(right, `"${'e'.repeat(8_000)}"`),
  ),
  another(
    'an ETag with a control character',
    () => '&quot;a&#1;&#27;[31mb&quot;',
    (right) => withEtag(right, '"a\u0001\u001b[31mb"'),
    'not-s3',
    'changed',
  ),
  harmless(
    'an ETag that is not ASCII',
    () => '&quot;\u00e9t\u202eag&quot;',
    (right) => withEtag(right, '"\u00e9\u009b31mtag"'),
  ),
  {
    name: 'an ETag that is the MD5 of something else',
    list: listed((etag) => `&quot;${md5(etag)}&quot;`),
    get: changed((right) => withEtag(right, `"${md5(bare(right))}"`)),
    seen: {
      listing: object('changed'),
      first: object('changed', 'corrupt'),
      later: object('changed', 'corrupt'),
      range: object('changed'),
    },
  },
  {
    name: 'in listing and GET an ETag that looks like an MD5, and is none',
    put: (bucket, key, body) => bucket.put(key, body, { etag: md5(`not ${key}`) }),
    seen: {
      listing: notHere('nothing is wrong with the listing'),
      first: object('corrupt'),
      later: object('corrupt'),
      range: content,
    },
  },
  {
    name: 'in listing and GET an ETag that no MD5 looks like',
    put: (bucket, key, body) => bucket.put(key, body, { etag: 'v1.0:opaque/ETag+with=punctuation' }),
    seen: { ...fine, listing: notHere('nothing is wrong with the listing') },
  },
  {
    name: 'the ETag of another version than it gives, for ever',
    list: listed((etag) => `&quot;old-${etag}&quot;`),
    seen: {
      listing: object('changed'),
      first: notHere('a fault of listings'),
      later: notHere('a fault of listings'),
      range: notHere('a fault of listings'),
    },
  },
];

/** A store with its own ETags, which it compares `If-Match` with. */
function own(etagOf: (right: Answer) => string): Fault {
  return (right, asked) => {
    const given = withEtag(right, etagOf(right));
    const wanted = asked.header('if-match');
    const isOther = wanted !== undefined && wanted !== headerOf(given, 'ETag');
    return send(isOther && right.status < 400 ? refusal(412, 'PreconditionFailed') : given);
  };
}

/** The store is always so. All its files can be read nevertheless, and the mount says so once. */
function ofStore(name: string, row: Partial<Row>): Row {
  return { name: `${name}, of every object`, scope: 'all', lasting: true, ...row, seen: fine };
}

const everyRow = (change: (row: ListedRow) => ListedRow): Fault => rowsChanged(change, 'all');
const listedAs = (etag: (bare: string) => string | undefined): Fault =>
  everyRow((row) => ({ ...row, ETag: etag(row.ETag?.replaceAll('&quot;', '') ?? '') }));

const ofAll: readonly Row[] = [
  ofStore('no ETag in the listing', { list: listedAs(() => undefined) }),
  ofStore('an empty ETag in the listing', { list: listedAs(() => '') }),
  ofStore('an ETag of two quotes in the listing', { list: listedAs(() => '&quot;&quot;') }),
  ofStore('no ETag in GET', { get: changed((right) => without(right, 'ETag')), unconditional: true }),
  ofStore('an ETag of two quotes in GET', {
    get: changed((right) => withEtag(right, '""')),
    unconditional: true,
  }),
  ofStore('no ETag anywhere', {
    list: listedAs(() => undefined),
    get: changed((right) => without(right, 'ETag')),
    unconditional: true,
  }),
  ofStore('a weak ETag in the listing', { list: listedAs((etag) => `W/&quot;${etag}&quot;`) }),
  ofStore('a weak ETag in GET', { get: changed((right) => withEtag(right, `W/"${bare(right)}"`)) }),
  ofStore('an ETag without quotes', {
    list: listedAs((etag) => etag),
    get: changed((right) => withEtag(right, bare(right))),
  }),
  ofStore('in GET another ETag than in the listing, which If-Match is compared with', {
    get: own((right) => `"gateway-${bare(right)}"`),
    unconditional: true,
  }),
  ofStore('in GET another ETag than in the listing, while If-Match is not heeded', {
    get: changed((right) => withEtag(right, `"gateway-${bare(right)}"`)),
    unconditional: true,
  }),
  ofStore('in the listing an ETag that looks like an MD5 and is none, and in GET another', {
    list: listedAs((etag) => `&quot;${md5(`listed ${etag}`)}&quot;`),
    get: own((right) => `"${md5(`got ${bare(right)}`)}"`),
    unconditional: true,
  }),
  ofStore('in listing and GET an ETag that looks like an MD5, and is none', {
    list: listedAs((etag) => `&quot;${md5(`salted ${etag}`)}&quot;`),
    get: own((right) => `"${md5(`salted ${bare(right)}`)}"`),
    unconditional: true,
  }),
  {
    name: 'another ETag each time to every GET',
    get: changed((right) => withEtag(right, `"${randomBytes(8).toString('hex')}"`)),
    scope: 'all',
    seen: {
      listing: notHere('a listing is one answer'),
      first: content,
      later: content,
      range: content,
    },
  },
];

export const etags: readonly Row[] = [...ofOne, ...ofAll];
