import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Bucket, type BucketObject, MemoryBucket } from './bucket.ts';

export interface MemoryS3Options {
  /** For every bucket name. Default: a bucket in memory, empty at first; tests can write only to that one. */
  readonly bucket?: Bucket;
  /** Whether the server records `requests`; default true. */
  readonly recorded?: boolean;
  /** Keys in one page; S3 gives 1,000, and may give fewer than the client asked for. */
  readonly pageKeys?: number;
  /** Whether PUT and DELETE work, and whether the server checks conditions of writes; without this it refuses both. */
  readonly writes?: 'conditional' | 'unconditional';
  /** What the server does with a request instead of answering it; the server waits for the promise. */
  readonly fault?: (
    request: MemoryS3Request,
  ) => MemoryS3Fault | undefined | Promise<MemoryS3Fault | undefined>;
  /** The store's clock, for the Date of its answers. Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface MemoryS3Request {
  readonly method: string;
  /** Empty for a listing. */
  readonly key: string;
  /** The signature, which names the key that made it; empty if there is none. */
  readonly authorization: string;
}

export type MemoryS3Fault =
  /** The server gives this answer, and does nothing else. */
  | { readonly status: number; readonly code: string }
  /** The server does what the request asks, and closes the connection without an answer. */
  | 'lost-after'
  /** The server closes the connection, and does nothing else. */
  | 'lost-before';

/**
 * A store whose bucket takes any key, byte for byte, where real stores refuse or change keys that look like no path. It
 * serves ListObjectsV2 in byte order, and GET and HEAD with If-Match and one range, over HTTP, for any bucket name.
 * Tests put objects by calls, or by PUT if the options allow it. Keys are latin1: one character a byte. It checks no
 * signature.
 */
export class MemoryS3 {
  readonly #memory = new MemoryBucket();
  readonly #bucket: Bucket;
  readonly #server: Server;
  readonly #pageKeys: number;
  readonly #options: MemoryS3Options;
  /** The requests so far, as `GET key`. */
  readonly requests: string[] = [];
  #port = 0;

  private constructor(options: MemoryS3Options) {
    this.#options = options;
    this.#bucket = options.bucket ?? this.#memory;
    this.#pageKeys = options.pageKeys ?? 1000;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(options: MemoryS3Options = {}): Promise<MemoryS3> {
    const store = new MemoryS3(options);
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    const address = store.#server.address();
    if (address !== null && typeof address === 'object') store.#port = address.port;
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  keys(): readonly string[] {
    return this.#memory.keys();
  }

  put(key: string, body: string | Uint8Array): void {
    this.#memory.put(key, body);
  }

  get(key: string): Buffer | undefined {
    return this.#memory.get(key)?.body();
  }

  delete(key: string): void {
    this.#memory.delete(key);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '/').split('?', 2);
    const key = path.split('/').slice(2).map(decoded).join('/');
    const { method = '' } = request;
    const { now, fault, writes } = this.#options;
    if (now !== undefined) response.setHeader('date', new Date(now()).toUTCString());
    if (this.#options.recorded !== false) this.requests.push(`${method} ${key}`);
    const met =
      fault === undefined
        ? undefined
        : await fault({ method, key, authorization: request.headers.authorization ?? '' });
    if (met === 'lost-before') request.socket.destroy();
    else if (typeof met === 'object') {
      request.resume();
      request.once('end', () => refuse(response, met.status, met.code, 'as the test has it'));
    } else if (writes !== undefined && (method === 'PUT' || method === 'DELETE')) {
      void this.#write(key, request, response, met === 'lost-after');
    } else if (method !== 'GET' && method !== 'HEAD') {
      refuse(response, 403, 'AccessDenied', 'Access Denied');
    } else if (key === '' && query.includes('list-type=2')) this.#list(parametersOf(query), response);
    else if (key === '') response.writeHead(200, { 'x-amz-bucket-region': 'us-east-1' }).end();
    else this.#object(key, request, response);
  }

  #list(query: ReadonlyMap<string, string>, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    const token = query.get('continuation-token');
    const after =
      token === undefined ? query.get('start-after') : Buffer.from(token, 'hex').toString('latin1');
    const most = Math.min(Number(query.get('max-keys') ?? 1000), this.#pageKeys);
    const { keys: page, more } = this.#bucket.page(prefix, after, most);
    const contents = page.map((key) => {
      const { size, etag, modified } = this.#bucket.get(key) as BucketObject;
      const date = new Date(Math.floor(modified / 1000) * 1000).toISOString();
      return `<Contents><Key>${encoded(key)}</Key><LastModified>${date}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const next = Buffer.from(page.at(-1) ?? '', 'latin1').toString('hex');
    const xml = [
      '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
      `<Name>memory</Name><Prefix>${encoded(prefix)}</Prefix><KeyCount>${page.length}</KeyCount>`,
      `<MaxKeys>${most}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>`,
      more ? `<NextContinuationToken>${next}</NextContinuationToken>` : '',
      ...contents,
      '</ListBucketResult>',
    ].join('');
    send(response, 200, { 'content-type': 'application/xml' }, Buffer.from(xml));
  }

  async #write(
    key: string,
    request: IncomingMessage,
    response: ServerResponse,
    isLost: boolean,
  ): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      // The client closed the connection in the middle of the request: the store keeps nothing of it.
      return;
    }
    const there = this.#memory.get(key);
    const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
    const holds =
      (noneMatch === undefined || there === undefined) &&
      (match === undefined || match.replaceAll('"', '') === there?.etag);
    const taken = holds || this.#options.writes === 'unconditional';
    if (taken && request.method === 'DELETE') this.delete(key);
    else if (taken) this.put(key, Buffer.concat(parts));
    if (isLost) request.socket.destroy();
    else if (!taken)
      refuse(response, 412, 'PreconditionFailed', 'At least one of the pre-conditions did not hold');
    else if (request.method === 'DELETE') response.writeHead(204).end();
    else send(response, 200, { etag: `"${this.#memory.get(key)?.etag}"` }, Buffer.alloc(0));
  }

  #object(key: string, request: IncomingMessage, response: ServerResponse): void {
    const object = this.#bucket.get(key);
    if (object === undefined) {
      refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.');
      return;
    }
    const { size, etag, modified } = object;
    const match = request.headers['if-match'];
    if (match !== undefined && match.replaceAll('"', '') !== etag) {
      refuse(response, 412, 'PreconditionFailed', 'At least one of the pre-conditions did not hold');
      return;
    }
    const unmatched = request.headers['if-none-match'];
    if (unmatched !== undefined && unmatched.replaceAll('"', '') === etag) {
      response.writeHead(304, { etag: `"${etag}"` }).end();
      return;
    }
    const headers = { etag: `"${etag}"`, 'last-modified': new Date(modified).toUTCString() };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (request.method === 'HEAD') {
      response.writeHead(200, { ...headers, 'content-length': size }).end();
    } else if (range === null) send(response, 200, headers, object.body());
    else if (Number(range[1]) >= size) {
      refuse(response, 416, 'InvalidRange', 'The requested range is not satisfiable');
    } else {
      const start = Number(range[1]);
      const end = Math.min(range[2] === '' ? size : Number(range[2]) + 1, size);
      const place = { ...headers, 'content-range': `bytes ${start}-${end - 1}/${size}` };
      send(response, 206, place, object.body().subarray(start, end));
    }
  }
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  return new Map(
    query.split('&').map((pair) => {
      const [name = '', value = ''] = pair.split('=', 2);
      return [decoded(name), decoded(value)];
    }),
  );
}

/** Converts percent-encoded bytes to latin1. */
function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function encoded(key: string): string {
  return key.replace(
    /[^A-Za-z0-9/_.~-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  send(response, status, { 'content-type': 'application/xml' }, Buffer.from(xml));
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): void {
  response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
}
