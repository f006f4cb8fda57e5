import { gunzipSync, gzipSync } from 'node:zlib';
import type { Step } from '../../support/byte-server.ts';
import { content, notHere, object, type Row, store } from '../seen.ts';
import {
  type Answer,
  changed,
  chunkedHead,
  chunks,
  type Fault,
  headOf,
  send,
  text,
  times,
  withBody,
  withHeaders,
  without,
} from '../wire.ts';

const fine: Row['seen'] = { listing: content, first: content, later: content, range: content };

function harmless(name: string, fault: Fault): Row {
  return { name, list: fault, get: fault, seen: fine };
}

function harmful(name: string, fault: Fault, ...codes: readonly string[]): Row {
  const one = object(...codes);
  return {
    name,
    list: fault,
    get: fault,
    seen: { listing: store(...codes), first: one, later: one, range: one },
  };
}

const half = ({ body }: Answer): Buffer => body.subarray(0, body.length >> 1);
const rest = ({ body }: Answer): Buffer => body.subarray(body.length >> 1);

/** Sends byte by byte, one each second. */
function dripped(bytes: Buffer): readonly Step[] {
  return [...bytes.subarray(0, 2_000)].flatMap((byte): readonly Step[] => [
    Uint8Array.of(byte),
    { pauseMs: 1_000 },
  ]);
}

/** Replaces the Content-Length header by one header for each of these lengths. */
function withLengths(right: Answer, ...lengths: readonly string[]): Answer {
  const plain = without(right, 'Content-Length');
  return {
    ...plain,
    headers: [...plain.headers, ...lengths.map((length) => ['Content-Length', length] as const)],
  };
}

const waits: readonly Row[] = [
  harmful('nothing, and holds the connection', () => ['hang'], 'unreachable'),
  harmful('half a head, then nothing', (right) => [headOf(right).subarray(0, 40), 'hang'], 'unreachable'),
  harmful('a head, then nothing', (right) => [headOf(right), 'hang'], 'unreachable'),
  harmful('half a body, then nothing', (right) => [headOf(right), half(right), 'hang'], 'unreachable'),
  harmful(
    'one byte of the body a second',
    (right) => [headOf(right), ...dripped(right.body), 'hang'],
    'unreachable',
  ),
  harmful('one byte of the head a second', (right) => [...dripped(headOf(right)), 'hang'], 'unreachable'),
  {
    name: 'nothing once, and holds the connection',
    list: times(1, () => ['hang']),
    get: times(1, () => ['hang']),
    seen: fine,
  },
  harmless('half a body, and the rest three seconds later', (right) => [
    headOf(right),
    half(right),
    { pauseMs: 3_000 },
    rest(right),
  ]),
  harmless('a head in many pieces', (right) => [
    ...[...headOf(right)].map((byte) => Uint8Array.of(byte)),
    right.body,
  ]),
];

const ends: readonly Row[] = [
  harmful('a reset before the head', () => ['reset'], 'unreachable'),
  harmful('an end before the head', () => ['close'], 'unreachable'),
  harmful(
    'a reset in the head',
    (right) => [headOf(right).subarray(0, 40), { pauseMs: 400 }, 'reset'],
    'unreachable',
  ),
  harmful('an end in the head', (right) => [headOf(right).subarray(0, 40), 'close'], 'unreachable', 'not-s3'),
  harmful(
    'a reset in the body',
    (right) => [headOf(right), half(right), { pauseMs: 400 }, 'reset'],
    'unreachable',
  ),
  harmful('an end in the body', (right) => [headOf(right), half(right), 'close'], 'unreachable'),
  { name: 'a reset in the body once', list: times(1, cutOff), get: times(1, cutOff), seen: fine },
  harmless('its answer, and ends the connection', (right) => [
    ...send(withHeaders(right, ['Connection', 'close'])),
    'close',
  ]),
  harmless('its answer twice', (right) => [...send(right), ...send(right)]),
];

function cutOff(right: Answer): readonly Step[] {
  return [headOf(right), half(right), { pauseMs: 400 }, 'reset'];
}

const lengths: readonly Row[] = [
  harmless('no length, and the end of the connection behind the body', (right) => [
    headOf(without(right, 'Content-Length')),
    right.body,
    'close',
  ]),
  harmful(
    'no length, and the end of the connection in the body',
    (right) => [headOf(without(right, 'Content-Length')), half(right), 'close'],
    'corrupt',
    'unreachable',
  ),
  harmless('HTTP/1.0, no length, and the end of the connection', (right) => [
    headOf(without(right, 'Content-Length'), '1.0'),
    right.body,
    'close',
  ]),
  harmless('HTTP/1.0 with a length', (right) => [headOf(right, '1.0'), right.body, 'close']),
  harmful(
    'a length that is too small',
    changed((right) => withLengths(right, String(right.body.length - 1))),
    'corrupt',
    'unreachable',
    'not-s3',
  ),
  harmful(
    'a length that is too large',
    (right) => [headOf(withLengths(right, String(right.body.length + 1))), right.body, 'close'],
    'unreachable',
    'corrupt',
  ),
  harmful(
    'two lengths that differ',
    changed((right) => withLengths(right, String(right.body.length), String(right.body.length + 1))),
    'not-s3',
    'unreachable',
  ),
  harmful(
    'two lengths that are equal',
    changed((right) => withLengths(right, String(right.body.length), String(right.body.length))),
    'not-s3',
    'unreachable',
  ),
  harmful(
    'a negative length',
    changed((right) => withLengths(right, '-1')),
    'not-s3',
    'unreachable',
  ),
  harmful(
    'a length that is no number',
    changed((right) => withLengths(right, 'many')),
    'not-s3',
    'unreachable',
  ),
  harmful(
    'a length of twenty digits',
    changed((right) => withLengths(right, '99999999999999999999')),
    'not-s3',
    'unreachable',
  ),
];

const chunked: readonly Row[] = [
  harmless('chunks', (right) => [chunkedHead(right), ...chunks(right.body)]),
  harmless('one chunk a packet, of a byte each', (right) => [
    chunkedHead(right),
    ...chunks(right.body, Math.max(1, right.body.length >> 6)),
  ]),
  harmless('chunks with extensions, and a trailer', (right) => [
    chunkedHead(right),
    ...chunks(right.body, 700, ';name=value').slice(0, -1),
    text('0\r\nx-amz-trailer: any\r\n\r\n'),
  ]),
  harmful(
    'chunks, of which the last is missing',
    (right) => [chunkedHead(right), ...chunks(right.body).slice(0, -1), 'close'],
    'unreachable',
    'corrupt',
    'not-s3',
  ),
  harmful(
    'chunks, one of which is missing',
    (right) => [chunkedHead(right), ...chunks(right.body, 300).filter((_, index) => index !== 1)],
    'corrupt',
  ),
  harmful(
    'chunks with a size that is no number',
    (right) => [chunkedHead(right), text('zz\r\n'), right.body, text('\r\n0\r\n\r\n')],
    'not-s3',
  ),
  harmful(
    'chunks with a size that is too large',
    (right) => [
      chunkedHead(right),
      text(`${(right.body.length + 10).toString(16)}\r\n`),
      right.body,
      text('\r\n0\r\n\r\n'),
      'close',
    ],
    'not-s3',
    'corrupt',
    'unreachable',
  ),
  harmful(
    'chunks and a length',
    (right) => [headOf(withHeaders(right, ['Transfer-Encoding', 'chunked'])), ...chunks(right.body)],
    'not-s3',
    'unreachable',
  ),
  harmful(
    'more chunks than the object has bytes',
    (right) => [chunkedHead(right), ...chunks(Buffer.concat([right.body, right.body]))],
    'corrupt',
  ),
];

const heads: readonly Row[] = [
  harmful(
    'headers of 64 KiB',
    changed((right) => withHeaders(right, ['x-filler', 'x'.repeat(64 * 1024)])),
    'not-s3',
  ),
  harmless(
    'headers of 6 KiB',
    changed((right) => withHeaders(right, ['x-filler', 'x'.repeat(6 * 1024)])),
  ),
  harmful(
    'a control character in a header',
    changed((right) => withHeaders(right, ['x-odd', 'a\u0001\u001b[31mb'])),
    'not-s3',
    'unreachable',
  ),
  harmful('a header without a name', (right) => [insert(right, ': nameless\r\n')], 'not-s3'),
  harmful(
    'the greeting of SSH',
    () => [text('SSH-2.0-OpenSSH_9.6\r\n'), { pauseMs: 400 }, 'close'],
    'not-s3',
    'unreachable',
  ),
  harmless('a reason that no terminal should be sent', (right) => [
    headOf(right, '1.1', '\u009b31m OK \u00adany'),
    right.body,
  ]),
];

function insert(right: Answer, line: string): Buffer {
  const head = headOf(right).toString('latin1');
  return Buffer.concat([text(head.replace('\r\n', `\r\n${line}`)), right.body]);
}

const packed = changed((right) =>
  withHeaders(withBody(right, gzipSync(right.body)), ['Content-Encoding', 'gzip']),
);

const encodings: readonly Row[] = [
  {
    name: 'a body that something on the way has packed',
    list: packed,
    get: packed,
    seen: {
      listing: store('not-s3', 'corrupt'),
      first: object('corrupt'),
      later: object('corrupt'),
      range: object('corrupt'),
    },
  },
  {
    name: 'an object that is stored packed, and unpacks it, in chunks, for whoever does not ask for it packed',
    put: (bucket, key, body) => bucket.put(key, gzipSync(body), { headers: { 'Content-Encoding': 'gzip' } }),
    get: (right, asked) => {
      const isPacked = right.headers.some(([name, value]) => name === 'Content-Encoding' && value === 'gzip');
      if (!isPacked || /\bgzip\b/.test(asked.header('accept-encoding') ?? '')) return send(right);
      const unpacked = unpack(right);
      return [chunkedHead(without(unpacked, 'Content-Encoding')), ...chunks(unpacked.body)];
    },
    seen: {
      listing: notHere('no listing is stored packed'),
      first: content,
      later: content,
      range: notHere('a store that unpacks gives no parts'),
    },
  },
  {
    name: 'an object that is stored packed, as it is',
    put: (bucket, key, body) => {
      // If it were packed, the large object would be a small one.
      const isLarge = body.length > 1024 * 1024;
      bucket.put(key, isLarge ? body : gzipSync(body), { headers: { 'Content-Encoding': 'gzip' } });
    },
    seen: { listing: notHere('no listing is stored packed'), first: content, later: content, range: content },
  },
];

export const transfers: readonly Row[] = [...waits, ...ends, ...lengths, ...chunked, ...heads, ...encodings];

function unpack(right: Answer): Answer {
  return { ...right, body: gunzipSync(right.body) };
}
