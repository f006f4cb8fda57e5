import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { FakeBucket } from './fake-bucket.ts';

/**
 * The child process behind fake-s3.ts: `node serve-fake-s3.js OBJECTS PREFIX BYTES LATENCY` answers ListObjectsV2, GET and HEAD of
 * one bucket of any name, checks no signature, prints its endpoint, and takes lines on its standard input: `revise
 * FROM TO` gives new bytes to these objects. It ends with its input.
 */
/** Milliseconds. */
const latency = Number(process.argv[5] ?? 0);
const bucket = new FakeBucket(Number(process.argv[2]), process.argv[3] ?? '', Number(process.argv[4] ?? 0));
const modified = '2026-01-02T03:04:05.000Z';
const httpDate = new Date(modified).toUTCString();
const largestPage = 1000;

function list(query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token') ?? undefined;
  const most = Math.min(Number(query.get('max-keys') ?? largestPage), largestPage);
  const encoded = query.get('encoding-type') === 'url';
  const after = token ?? query.get('start-after') ?? undefined;
  // Nothing is below a prefix that is longer than the bucket's own keys, but one of its directories.
  let index = after === undefined || after < prefix ? first(prefix) : bucket.firstAfter(after);
  const parts: string[] = [];
  let count = 0;
  let last = '';
  for (; index < bucket.objects && count < most; index += 1, count += 1) {
    const key = bucket.key(index);
    if (!key.startsWith(prefix)) break;
    last = key;
    const shown = encoded ? encodeURIComponent(key).replaceAll('%2F', '/') : key;
    parts.push(
      `<Contents><Key>${shown}</Key><LastModified>${modified}</LastModified><ETag>&quot;${bucket.etag(index)}&quot;</ETag>` +
        `<Size>${bucket.body(index).length}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    );
  }
  const more = count === most && index < bucket.objects && bucket.key(index).startsWith(prefix);
  const xml =
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    `<Name>fake</Name><Prefix>${encoded ? encodeURIComponent(prefix) : prefix}</Prefix>` +
    `<KeyCount>${count}</KeyCount><MaxKeys>${most}</MaxKeys>${encoded ? '<EncodingType>url</EncodingType>' : ''}` +
    `<IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${last}</NextContinuationToken>` : ''}` +
    `${parts.join('')}</ListBucketResult>`;
  send(response, 200, { 'content-type': 'application/xml' }, xml);
}

function first(prefix: string): number {
  const index = prefix === '' ? 0 : bucket.firstAfter(prefix);
  // A key that is the prefix itself is below it too.
  return index > 0 && bucket.key(index - 1) === prefix ? index - 1 : index;
}

function object(key: string, request: IncomingMessage, response: ServerResponse): void {
  const index = bucket.find(key);
  if (index === undefined) {
    error(response, 404, 'NoSuchKey', 'The specified key does not exist.');
    return;
  }
  const etag = `"${bucket.etag(index)}"`;
  const match = request.headers['if-match'];
  if (match !== undefined && match.replaceAll('"', '') !== bucket.etag(index)) {
    error(
      response,
      412,
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
    );
    return;
  }
  const body = bucket.body(index);
  const headers = { etag, 'last-modified': httpDate, 'content-type': 'text/x-python' };
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...headers, 'content-length': body.length }).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) {
    send(response, 200, headers, body);
    return;
  }
  const start = Number(range[1]);
  const end = Math.min(range[2] === '' ? body.length - 1 : Number(range[2]), body.length - 1);
  const partial = { ...headers, 'content-range': `bytes ${start}-${end}/${body.length}` };
  send(response, 206, partial, body.slice(start, end + 1));
}

function error(response: ServerResponse, status: number, code: string, message: string): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  send(response, status, { 'content-type': 'application/xml' }, xml);
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

const server = createServer((request, response) => {
  if (latency > 0) setTimeout(answer, latency, request, response);
  else answer(request, response);
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://fake');
  const [, , ...components] = url.pathname.split('/');
  const key = decodeURIComponent(components.join('/'));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    error(response, 403, 'AccessDenied', 'Access Denied');
  } else if (key === '' && request.method === 'GET') {
    list(url.searchParams, response);
  } else if (key === '') {
    response.writeHead(200, { 'x-amz-bucket-region': 'us-east-1' }).end();
  } else {
    object(key, request, response);
  }
}

server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  input += text;
  for (let end = input.indexOf('\n'); end >= 0; end = input.indexOf('\n')) {
    const [command, from, to] = input.slice(0, end).split(' ');
    input = input.slice(end + 1);
    if (command !== 'revise') continue;
    for (let index = Number(from); index < Number(to); index += 1) bucket.revise(index);
    process.stdout.write('revised\n');
  }
});
process.stdin.on('end', () => process.exit());
