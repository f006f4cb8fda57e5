import { content, notHere, object, type Row, type Seen, store } from '../seen.ts';
import {
  type Answer,
  always,
  answer,
  changed,
  errorBody,
  type Fault,
  headerOf,
  page,
  refusal,
  send,
  times,
  webPage,
  withHeaders,
} from '../wire.ts';

/** The same answer in every place. Where it concerns one object, the object is at fault. */
function everywhere(name: string, fault: Fault, codes: readonly string[], more: Partial<Row> = {}): Row {
  const one = object(...codes);
  const seen = { listing: store(...codes), first: one, later: one, range: one, ...more.seen };
  return { name, list: fault, get: fault, ...more, seen };
}

function refused(status: number, code: string, ...codes: readonly string[]): Row {
  return everywhere(`${status} ${code} for ever`, always(refusal(status, code)), codes, {
    told: new RegExp(code),
  });
}

function wordless(status: number, name: string, fixed: Answer, ...codes: readonly string[]): Row {
  return everywhere(`${status} ${name}`, always(fixed), codes, { told: new RegExp(`${status}`) });
}

const fine: Row['seen'] = { listing: content, first: content, later: content, range: content };

function once(name: string, fault: Fault): Row {
  return { name, list: times(1, fault), get: times(1, fault), seen: fine };
}

/** The same answer for every object, so the store is at fault. */
function ofEach(name: string, fault: Fault, codes: readonly string[]): Row {
  const all: Seen = store(...codes);
  return {
    name: `${name} to every GET`,
    get: fault,
    scope: 'all',
    seen: { listing: notHere('a listing is one answer'), first: all, later: all, range: object(...codes) },
  };
}

const elsewhere = 'http://198.51.100.7/bucket/';
const redirect = (status: number, ...locations: readonly string[]): Answer =>
  answer(status, '', ...locations.map((place) => ['Location', place] as const));

const part = (right: Answer, contentRange: string | undefined): Answer => ({
  ...(contentRange === undefined ? right : withHeaders(right, ['Content-Range', contentRange])),
  status: 206,
});

/** For an answer that is not the object. Where it is shorter than expected, it may be taken for another version. */
const misplaced = ['not-s3', 'corrupt', 'changed'];

const okay: readonly Row[] = [
  everywhere('200 with a login page', always(webPage(200)), misplaced),
  everywhere(
    '200 with XML of something else',
    always(answer(200, '<?xml version="1.0"?><ListAllMyBucketsResult><Owner/></ListAllMyBucketsResult>')),
    misplaced,
  ),
  everywhere('200 with JSON', always(answer(200, '{"message":"Not Found"}')), misplaced),
  everywhere('200 with an empty body', always(answer(200)), misplaced),
  everywhere(
    '200 with an error document',
    always(answer(200, errorBody('InternalError'), ['Content-Type', 'application/xml'])),
    ['unreachable', ...misplaced],
  ),
  {
    name: '200 with a login page that has the ETag of the object, and its length',
    get: changed((right) => ({
      ...right,
      body: Buffer.from(page.padEnd(right.body.length).slice(0, right.body.length)),
    })),
    seen: {
      listing: notHere('a listing has no ETag'),
      first: object('corrupt'),
      later: object('corrupt'),
      range: notHere('S3 gives no checksum of a part: it is checked by length'),
    },
  },
  everywhere('204 without content', always({ status: 204, headers: [], body: Buffer.alloc(0) }), [
    'not-s3',
    'corrupt',
  ]),
  {
    name: '206 that nobody asked for, with everything',
    list: (right) => send(part(right, undefined)),
    get: (right) => send(part(right, `bytes 0-${right.body.length - 1}/${right.body.length}`)),
    seen: { ...fine, range: notHere('a part is what was asked for') },
  },
  {
    name: '206 that nobody asked for, with half',
    list: (right) => {
      const half = right.body.subarray(0, right.body.length >> 1);
      return send(
        withHeaders(part({ ...right, body: half }, undefined), ['Content-Length', String(half.length)]),
      );
    },
    get: (right) => {
      const half = right.body.subarray(0, right.body.length >> 1);
      const place = `bytes 0-${half.length - 1}/${right.body.length}`;
      return send(
        withHeaders(part({ ...right, body: half }, place), ['Content-Length', String(half.length)]),
      );
    },
    seen: {
      listing: store('corrupt'),
      first: object('corrupt'),
      later: object('corrupt'),
      range: object('corrupt'),
    },
  },
  {
    name: '206 with the Content-Range of another part',
    get: changed((right) => withHeaders({ ...right, status: 206 }, ['Content-Range', shifted(right)])),
    seen: {
      listing: notHere('a listing has no parts'),
      first: notHere('nobody asked for a part: what came is checked as a whole'),
      later: notHere('nobody asked for a part: what came is checked as a whole'),
      range: object('corrupt'),
    },
  },
  {
    name: '206 without Content-Range',
    get: changed((right) => ({
      ...right,
      status: 206,
      headers: right.headers.filter(([name]) => name !== 'Content-Range'),
    })),
    seen: {
      listing: notHere('a listing has no parts'),
      first: content,
      later: content,
      range: object('not-s3', 'corrupt'),
    },
  },
  {
    name: '200 with the whole of the object where a part was asked for',
    get: (right) => {
      // The lab's large object repeats its last part nowhere: the store gives all of it.
      const total = Number(/\/(\d+)$/.exec(headerOf(right, 'Content-Range'))?.[1] ?? right.body.length);
      const body = Buffer.concat([Buffer.alloc(total - right.body.length, '.'), right.body]);
      const headers = right.headers.filter(([name]) => name !== 'Content-Range');
      return send(withHeaders({ status: 200, headers, body }, ['Content-Length', String(total)]));
    },
    seen: {
      ...fine,
      listing: notHere('a listing has no parts'),
      first: notHere('no part is asked for'),
      later: notHere('no part is asked for'),
    },
  },
];

function shifted(right: Answer): string {
  const said = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headerOf(right, 'Content-Range'));
  const [start = 0, end = 0, total = 0] = (said?.slice(1) ?? []).map(Number);
  return `bytes ${start - 1}-${end - 1}/${total}`;
}

const redirects: readonly Row[] = [
  everywhere(
    '301 PermanentRedirect with a region',
    always(refusal(301, 'PermanentRedirect', undefined, ['x-amz-bucket-region', 'eu-west-1'])),
    ['wrong-region'],
  ),
  everywhere('301 without Location', always(redirect(301)), ['not-s3', 'wrong-region'], { told: /redirect/ }),
  everywhere('302 to another host', always(redirect(302, elsewhere)), ['not-s3'], {
    told: /198\.51\.100\.7/,
  }),
  everywhere('302 with two Locations', always(redirect(302, elsewhere, 'http://203.0.113.9/')), ['not-s3']),
  everywhere('302 without Location', always(redirect(302)), ['not-s3']),
  everywhere(
    '307 to itself, for ever',
    (_, asked) => send(redirect(307, `http://${asked.header('host')}/bucket/${asked.key}`)),
    ['not-s3', 'wrong-region'],
  ),
  everywhere('308 to another host', always(redirect(308, elsewhere)), ['not-s3']),
  everywhere(
    '302 to an address that no terminal should be sent',
    always(redirect(302, 'http://a/\u001b]0;owned\u0007\u009b31m')),
    ['not-s3'],
  ),
  everywhere(
    '304 that nobody asked for',
    always({ status: 304, headers: [['ETag', '"any"']], body: Buffer.alloc(0) }),
    ['not-s3'],
  ),
];

const refusals: readonly Row[] = [
  refused(400, 'InvalidRequest', 'bad-request'),
  wordless(400, 'with a web page', webPage(400), 'not-s3', 'bad-request'),
  refused(401, 'Unauthorized', 'denied'),
  refused(403, 'AccessDenied', 'denied'),
  refused(403, 'KMS.DisabledException', 'denied'),
  refused(403, 'InvalidObjectState', 'unreadable-class'),
  refused(403, 'RequestTimeTooSkewed', 'clock-skew'),
  refused(403, 'ExpiredToken', 'expired'),
  wordless(403, 'with a web page', webPage(403), 'denied', 'not-s3'),
  wordless(403, 'without a word', answer(403), 'denied', 'not-s3'),
  refused(404, 'NoSuchKey', 'gone'),
  refused(404, 'NoSuchBucket', 'no-such-bucket'),
  wordless(404, 'without a word', answer(404), 'not-s3', 'gone'),
  wordless(404, 'with a web page', webPage(404), 'not-s3', 'gone'),
  refused(405, 'MethodNotAllowed', 'bad-request'),
  wordless(407, 'of a proxy', answer(407), 'unreachable'),
  refused(409, 'OperationAborted', 'unreachable'),
  wordless(410, 'without a word', answer(410), 'not-s3', 'gone'),
  refused(411, 'MissingContentLength', 'bad-request'),
  refused(412, 'PreconditionFailed', 'changed'),
  refused(416, 'InvalidRange', 'changed'),
  refused(429, 'TooManyRequests', 'throttled'),
  wordless(451, 'without a word', answer(451), 'not-s3', 'bad-request'),
];

const failures: readonly Row[] = [
  refused(500, 'InternalError', 'unreachable'),
  once('500 InternalError once', always(refusal(500, 'InternalError'))),
  everywhere('500 with a body that never ends', () => [endlessHead, ...endlessBody, 'hang'], ['unreachable']),
  refused(501, 'NotImplemented', 'unreachable', 'bad-request'),
  wordless(502, 'with a web page', webPage(502), 'unreachable'),
  refused(503, 'SlowDown', 'throttled'),
  once('503 SlowDown once', always(refusal(503, 'SlowDown'))),
  wordless(503, 'without a word', answer(503), 'unreachable'),
  wordless(504, 'with a web page', webPage(504), 'unreachable'),
  once('504 with a web page once', always(webPage(504))),
  everywhere(
    '403 AccessDenied with a message that no terminal should be sent',
    always(
      refusal(
        403,
        'AccessDenied',
        'no \u001b[31mred\u001b[0m, \u202egnihtyna\u202c \u0007 &#27;[2J\r\nevent: forged',
      ),
    ),
    ['denied'],
  ),
  everywhere(
    '500 with a code that no terminal should be sent',
    always(refusal(500, '\u001b[2JInternalError')),
    ['unreachable'],
  ),
  ofEach('500 InternalError', always(refusal(500, 'InternalError')), ['unreachable']),
  ofEach('503 SlowDown', always(refusal(503, 'SlowDown')), ['throttled']),
  ofEach('403 ExpiredToken', always(refusal(403, 'ExpiredToken')), ['expired']),
  ofEach('200 with a login page', always(webPage(200)), misplaced),
  ofEach('nothing at all', () => ['hang'], ['unreachable']),
];

const endlessHead = Buffer.from('HTTP/1.1 500 Status\r\nContent-Type: text/html\r\n\r\n');
const endlessBody = Array.from({ length: 40 }, () => Buffer.alloc(16 * 1024, 'x'));

const interim: readonly Row[] = [
  ...['100 Continue', '103 Early Hints'].map((status): Row => {
    const interim: Fault = (right) => [
      Buffer.from(`HTTP/1.1 ${status}\r\nLink: </x>\r\n\r\n`),
      ...send(right),
    ];
    return { name: `${status} first`, list: interim, get: interim, seen: fine };
  }),
  everywhere(
    '101 Switching Protocols',
    () => [
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: any\r\nConnection: upgrade\r\n\r\n'),
      'hang',
    ],
    ['unreachable', 'not-s3'],
  ),
  everywhere(
    'a status that is none',
    () => [Buffer.from('HTTP/1.1 999 Status\r\nContent-Length: 0\r\n\r\n')],
    ['unreachable', 'not-s3'],
  ),
];

export const statuses: readonly Row[] = [...okay, ...redirects, ...refusals, ...failures, ...interim];
