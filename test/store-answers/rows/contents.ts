import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { rowsChanged } from '../listed.ts';
import { content, held, named, notHere, object, type Row, type Seen } from '../seen.ts';
import { type Answer, type Change, changed, withBody, withHeaders, without } from '../wire.ts';

const noListing = notHere('a listing has no checksum: it is checked by what it says of itself');
const noChecksum = notHere('S3 gives no checksum of a part: it is checked by length');

function damaged(name: string, change: Change, range: Seen = object('corrupt')): Row {
  const one = object('corrupt');
  return { name, get: changed(change), seen: { listing: noListing, first: one, later: one, range } };
}

function harmless(name: string, change: Change, more: Partial<Row> = {}): Row {
  const seen = { listing: noListing, first: content, later: content, range: content, ...more.seen };
  return { name, get: changed(change), ...more, seen };
}

function flipped(right: Answer): Answer {
  const body = Buffer.from(right.body);
  body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
  return { ...right, body };
}

function crcOf(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('base64');

const bodies: readonly Row[] = [
  damaged('the right length and one wrong bit', flipped, noChecksum),
  damaged('a byte less, and says so', (right) => withBody(right, right.body.subarray(1))),
  damaged('a byte more, and says so', (right) =>
    withBody(right, Buffer.concat([right.body, Buffer.from('x')])),
  ),
  damaged('no byte, and says so', (right) => withBody(right, Buffer.alloc(0))),
  damaged('zeros', (right) => ({ ...right, body: Buffer.alloc(right.body.length) }), noChecksum),
  {
    ...damaged('the right length and one wrong bit, to every GET', flipped, noChecksum),
    scope: 'all',
    seen: {
      listing: noListing,
      first: notHere('where no ETag is an MD5 of what comes with it, none counts as one'),
      later: held,
      range: noChecksum,
    },
  },
];

const checksums: readonly Row[] = [
  damaged(
    'a CRC-32 of something else',
    (right) => withHeaders(right, ['x-amz-checksum-crc32', 'AAAAAA==']),
    noChecksum,
  ),
  damaged(
    'a checksum that is none',
    (right) => withHeaders(right, ['x-amz-checksum-crc32', 'not base64!']),
    noChecksum,
  ),
  // Conflicting checksums are ignored, and the ETag is an MD5.
  harmless('two checksums of one kind, of which the first is wrong', (right) => ({
    ...right,
    headers: [
      ...right.headers,
      ['x-amz-checksum-crc32', 'AAAAAA=='],
      ['x-amz-checksum-crc32', crcOf(right.body)],
    ],
  })),
  harmless('a checksum of a kind that is not known', (right) =>
    withHeaders(right, ['x-amz-checksum-xxh3', 'AAAA']),
  ),
  harmless('two checksums that are right', (right) =>
    withHeaders(
      right,
      ['x-amz-checksum-crc32', crcOf(right.body)],
      ['x-amz-checksum-sha256', sha256(right.body)],
    ),
  ),
  harmless('the checksum of its parts', (right) =>
    withHeaders(right, ['x-amz-checksum-crc32', 'AAAAAA==-2'], ['x-amz-checksum-type', 'COMPOSITE']),
  ),
  harmless('an empty checksum', (right) => withHeaders(right, ['x-amz-checksum-crc32', ''])),
];

const dates: readonly Row[] = [
  harmless('no Last-Modified', (right) => without(right, 'Last-Modified'), {
    list: rowsChanged((row) => ({ ...row, LastModified: undefined }), 'one'),
    seen: { listing: named('bad-date') } as never,
  }),
  harmless('a Last-Modified that is none', (right) => withHeaders(right, ['Last-Modified', 'yesterday']), {
    list: rowsChanged((row) => ({ ...row, LastModified: 'yesterday' }), 'one'),
    seen: { listing: named('bad-date') } as never,
  }),
  harmless(
    'a Last-Modified in the future',
    (right) => withHeaders(right, ['Last-Modified', 'Fri, 31 Dec 9999 23:59:59 GMT']),
    {
      list: rowsChanged((row) => ({ ...row, LastModified: '9999-12-31T23:59:59.000Z' }), 'one'),
      seen: { listing: content } as never,
    },
  ),
  harmless(
    'a Last-Modified long ago',
    (right) => withHeaders(right, ['Last-Modified', 'Thu, 01 Jan 1970 00:00:00 GMT']),
    {
      list: rowsChanged((row) => ({ ...row, LastModified: '1970-01-01T00:00:00.000Z' }), 'one'),
      seen: { listing: content } as never,
    },
  ),
];

const rest: readonly Row[] = [
  harmless('a version id of 4 KB', (right) => withHeaders(right, ['x-amz-version-id', 'v'.repeat(4_096)])),
  harmless('two version ids', (right) => ({
    ...right,
    headers: [...right.headers, ['x-amz-version-id', 'one'], ['x-amz-version-id', 'two']],
  })),
  harmless('user metadata that no terminal should be sent', (right) =>
    withHeaders(right, ['x-amz-meta-owner', 'a\u009b31mb']),
  ),
];

export const contents: readonly Row[] = [...bodies, ...checksums, ...dates, ...rest];
