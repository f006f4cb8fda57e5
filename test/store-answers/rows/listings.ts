import { randomBytes } from 'node:crypto';
import type { ListedPage, ListedRow } from '../bucket.ts';
import { oddKey, pageChanged, rowsChanged, xmlChanged } from '../listed.ts';
import { content, leftOut, named, notHere, type Row, type Seen, store } from '../seen.ts';
import type { Fault } from '../wire.ts';

const nowhere = notHere('a fault of listings');

function listing(name: string, list: Fault, seen: Seen, more: Partial<Row> = {}): Row {
  return { name, list, ...more, seen: { listing: seen, first: nowhere, later: nowhere, range: nowhere } };
}

const page = (
  name: string,
  change: (page: ListedPage, token: string | undefined) => ListedPage,
  seen: Seen,
  more?: Partial<Row>,
): Row => listing(name, pageChanged(change), seen, more);
const row = (name: string, change: (row: ListedRow) => ListedRow, seen: Seen): Row =>
  listing(name, rowsChanged(change, 'one'), seen);
const every = (name: string, change: (row: ListedRow) => ListedRow, seen: Seen): Row =>
  listing(name, rowsChanged(change, 'all'), seen);
const xml = (name: string, change: (text: string) => string, seen: Seen): Row =>
  listing(name, xmlChanged(change), seen);

/** Cuts a page after this many rows, and gives it this token. */
function cut(page: ListedPage, at: number, token: string | undefined): ListedPage {
  if (page.rows.length <= at) return page;
  return { ...page, rows: page.rows.slice(0, at), keyCount: String(at), truncated: 'true', token };
}

const rfc1123 = ({ LastModified = '' }: ListedRow): string => new Date(LastModified).toUTCString();

const heads: readonly Row[] = [
  page('KeyCount 0', (page) => ({ ...page, keyCount: '0' }), content),
  page('a KeyCount that is too large', (page) => ({ ...page, keyCount: '99999' }), content),
  page(
    'a KeyCount that no terminal should be sent',
    (page) => ({ ...page, keyCount: '7\u009b31m\u202e' }),
    content,
  ),
  page('no KeyCount', (page) => ({ ...page, keyCount: undefined }), content),
  page('an empty CommonPrefixes', (page) => ({ ...page, more: '<CommonPrefixes/>' }), content),
  page(
    'a CommonPrefixes with nothing in it',
    (page) => ({ ...page, more: '<CommonPrefixes></CommonPrefixes>' }),
    content,
  ),
  page(
    'keys folded together',
    (page) => ({ ...page, more: '<CommonPrefixes><Prefix>dags/folded/</Prefix></CommonPrefixes>' }),
    store('corrupt'),
  ),
  page('no IsTruncated', (page) => ({ ...page, truncated: undefined }), content),
  page('IsTruncated as False', (page) => ({ ...page, truncated: 'False' }), content),
  page('an empty IsTruncated', (page) => ({ ...page, truncated: '' }), content),
  page(
    'elements of its own',
    (page) => ({ ...page, more: '<Hints xmlns:x="urn:x"><x:a>1</x:a><!-- any --></Hints>' }),
    content,
  ),
  page('another prefix', (page) => ({ ...page, prefix: 'other/' }), store('corrupt')),
  listing(
    'keys of another prefix',
    rowsChanged((row) => ({ ...row, Key: row.Key.replace('dags/', 'other/') }), 'one'),
    store('corrupt'),
  ),
];

const dates: readonly Row[] = [
  row('a date as RFC 1123', (row) => ({ ...row, LastModified: rfc1123(row) }), content),
  every('every date as RFC 1123', (row) => ({ ...row, LastModified: rfc1123(row) }), content),
  row(
    'a date without a zone',
    (row) => ({ ...row, LastModified: row.LastModified?.replace('Z', '') }),
    content,
  ),
  row(
    'a date with an offset',
    (row) => ({ ...row, LastModified: row.LastModified?.replace('Z', '+00:00') }),
    content,
  ),
  row('an empty date', (row) => ({ ...row, LastModified: '' }), named('bad-date')),
  row(
    'neither ETag nor date',
    (row) => ({ ...row, LastModified: undefined, ETag: undefined }),
    leftOut('no-version'),
  ),
  row(
    'an empty ETag and a date that is none',
    (row) => ({ ...row, LastModified: 'soon', ETag: '' }),
    leftOut('no-version'),
  ),
];

const long = `dags/${'deep/'.repeat(900)}key.py`;
const rows: readonly Row[] = [
  listing(
    'a key of more than 4,096 bytes',
    pageChanged((page) => ({ ...page, rows: [{ ...page.rows[0]!, Key: long }, ...page.rows] })),
    named('too-long'),
    { told: /^deep\// },
  ),
  listing(
    'a key of 100,000 bytes',
    pageChanged((page) => ({
      ...page,
      rows: [{ ...page.rows[0]!, Key: `dags/0${'k'.repeat(100_000)}` }, ...page.rows],
    })),
    named('too-long'),
    { told: /^0k/ },
  ),
  row('no StorageClass', (row) => ({ ...row, StorageClass: undefined }), content),
  row('a StorageClass that nobody knows', (row) => ({ ...row, StorageClass: 'COLD\u009b31m' }), content),
  listing(
    'a row twice',
    pageChanged((page) => ({ ...page, rows: page.rows.flatMap((row) => [row, row]) })),
    store('corrupt'),
  ),
  row('a size that is none', (row) => ({ ...row, Size: 'many' }), leftOut('bad-size')),
  row('a negative size', (row) => ({ ...row, Size: '-1' }), leftOut('bad-size')),
  row('no size', (row) => ({ ...row, Size: undefined }), leftOut('bad-size')),
  // SeaweedFS has its own order.
  listing(
    'rows out of order, over two pages',
    twoPages((page, token) => (token === undefined ? { ...page, rows: page.rows.toReversed() } : page)),
    content,
  ),
  listing(
    'a second page that begins before the first one has ended',
    twoPages((page, token) =>
      token === undefined ? page : { ...page, rows: [{ ...page.rows[0]!, Key: 'dags/a.py' }, ...page.rows] },
    ),
    content,
  ),
  listing(
    'a second page with a row of the first',
    pageChanged((page, token) => {
      if (token !== undefined) return page;
      return cut(page, 100, tokenAfter(page, 99));
    }),
    store('corrupt'),
  ),
];

/** A listing with a first page of a hundred rows, and further pages. `change` changes each page. */
function twoPages(change: (page: ListedPage, token: string | undefined) => ListedPage): Fault {
  return pageChanged((page, token, after) =>
    change(token === undefined && after === undefined ? cut(page, 100, tokenAfter(page, 100)) : page, token),
  );
}

function tokenAfter(page: ListedPage, at: number): string {
  return Buffer.from(decodeURIComponent(page.rows[at - 1]!.Key)).toString('hex');
}

const pages: readonly Row[] = [
  listing(
    'two pages',
    twoPages((page) => page),
    content,
  ),
  listing(
    'a page that goes on, and no token',
    twoPages((page) => ({ ...page, token: undefined })),
    content,
  ),
  listing(
    'a page that goes on, and an empty token',
    twoPages((page) => (page.token === undefined ? page : { ...page, token: '' })),
    content,
  ),
  listing(
    'a token at the last page',
    pageChanged((page) => ({ ...page, token: 'any' })),
    content,
  ),
  listing(
    'a first page of one key',
    pageChanged((page, token, after) =>
      token === undefined && after === undefined ? cut(page, 1, tokenAfter(page, 1)) : page,
    ),
    content,
  ),
  listing(
    'an empty page that goes on',
    pageChanged((page, token) =>
      token === undefined ? { ...page, rows: [], keyCount: '0', truncated: 'true', token: '00' } : page,
    ),
    content,
  ),
  listing(
    'empty pages without end, with a new token each',
    pageChanged((page) => ({
      ...page,
      rows: [],
      keyCount: '0',
      truncated: 'true',
      token: randomBytes(8).toString('hex'),
    })),
    store('corrupt', 'not-s3'),
  ),
  listing(
    'the same page again and again, with a new token each',
    pageChanged((page) => ({ ...page, truncated: 'true', token: randomBytes(8).toString('hex') })),
    store('corrupt', 'not-s3'),
  ),
  listing(
    'one new key a page, without end',
    pageChanged((page, token) => {
      const at = Number.parseInt(token ?? '0', 10);
      const Key = `dags/endless/k${String(at).padStart(9, '0')}`;
      return {
        ...page,
        rows: [{ ...page.rows[0]!, Key }],
        keyCount: '1',
        truncated: 'true',
        token: String(at + 1),
      };
    }),
    store('corrupt', 'not-s3', 'bad-request', 'unreachable'),
  ),
  listing(
    'the same token again and again',
    pageChanged((page) => ({ ...page, truncated: 'true', token: 'same' })),
    store('corrupt', 'not-s3'),
  ),
  listing(
    'a token of 8 MB',
    twoPages((page) => (page.token === undefined ? page : { ...page, token: 't'.repeat(8_000_000) })),
    store('corrupt', 'not-s3', 'bad-request'),
  ),
  listing(
    'the second page cut off',
    (right, asked) =>
      asked.query.has('continuation-token')
        ? [right.body.subarray(0, 10), 'close']
        : twoPages((page) => page)(right, asked),
    store('not-s3', 'unreachable', 'corrupt'),
  ),
];

const documents: readonly Row[] = [
  xml(
    'XML that is cut off at the end of a row',
    (text) => text.slice(0, text.lastIndexOf('<Contents>')),
    store('corrupt'),
  ),
  xml('XML that is cut off in a row', (text) => text.slice(0, text.lastIndexOf('<Size>')), store('corrupt')),
  xml(
    'XML with a DOCTYPE',
    (text) => text.replace('?>', '?><!DOCTYPE x [<!ENTITY a "aaaa">]>'),
    store('corrupt', 'not-s3'),
  ),
  xml(
    'two listings in one answer',
    (text) => text + text.slice(text.indexOf('<ListBucketResult')),
    store('corrupt'),
  ),
  xml('a tag that does not match', (text) => text.replace('</Contents>', '</Content>'), store('corrupt')),
  xml('an entity that nobody has defined', (text) => text.replace('STANDARD', '&bomb;'), store('corrupt')),
  xml('XML with a byte order mark', (text) => `\ufeff${text}`, content),
  xml('XML with line breaks and comments', (text) => text.replaceAll('><', '>\r\n  <!-- any --><'), content),
  xml('XML without a declaration', (text) => text.slice(text.indexOf('<ListBucketResult')), content),
  xml('XML with a prefix at every name', prefixed, content),
  xml(
    'keys that are not encoded as it says',
    (text) => text.replace(oddKey, `${oddKey}%zz`),
    store('corrupt'),
  ),
  page('no EncodingType', (page) => ({ ...page, encoding: undefined }), content),
  xml(
    'EncodingType twice',
    (text) => text.replace('<EncodingType>', '<EncodingType>url</EncodingType><EncodingType>'),
    content,
  ),
  xml(
    'IsTruncated twice, once true and once false',
    (text) => text.replace('<IsTruncated>', '<IsTruncated>true</IsTruncated><IsTruncated>'),
    store('corrupt'),
  ),
  xml(
    'two ETags of one object that differ',
    (text) => text.replace(oddElement, '$1<ETag>&quot;another&quot;</ETag>'),
    content,
  ),
  xml(
    'two keys of one object',
    (text) => text.replace(oddElement, '$1<Key>dags/team/another.py</Key>'),
    store('corrupt'),
  ),
];

/** The element with the key of the odd object, in its row. */
const oddElement = new RegExp(`(<Key>${oddKey}</Key>)`);

function prefixed(text: string): string {
  return text.replace(/<(\/?)([A-Z])/g, '<$1s3:$2').replace('xmlns=', 'xmlns:s3=');
}

export const listings: readonly Row[] = [...heads, ...dates, ...rows, ...pages, ...documents];
