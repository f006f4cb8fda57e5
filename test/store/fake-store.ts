import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type Cleanup, defer } from '../support/temporary.ts';

export interface SeenRequest {
  readonly method: string;
  /** As sent: path and query, encoded. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What the fake answers with. */
export type Reply =
  /** Headers are sent as they are, with a Content-Length where none is given. */
  | {
      readonly status: number;
      /** An array: one header for each item. An empty one: no header. */
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      /** The body comes in chunks, without a length. */
      readonly chunked?: boolean;
      /** The body comes one byte at a time, this many milliseconds apart. */
      readonly dripMs?: number;
      readonly body?: string | Uint8Array;
      /** Sends this many bytes of the body, then closes the connection. */
      readonly cutAfter?: number;
      /** Sends this many bytes of the body, then nothing more. */
      readonly stallAfter?: number;
    }
  /** The request is never answered. */
  | 'hang'
  /** The connection is closed without an answer. */
  | 'cut';

export type Answering = (request: SeenRequest, index: number) => Reply;

/** A store that gives the answers that a test wants. */
export class FakeStore {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #tls: boolean;
  /** A test may change it while the store runs. */
  answering: Answering;
  #underWay = 0;
  /** The most requests that were under way at once. */
  mostAtOnce = 0;

  private constructor(
    answering: Answering,
    tls: { readonly key: string; readonly cert: string } | undefined,
  ) {
    this.answering = answering;
    this.#tls = tls !== undefined;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const { method = '', url = '', headers } = request;
      const query = new URL(url, 'http://store').searchParams;
      const index = this.requests.push({ method, url, query, headers }) - 1;
      this.#underWay += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay);
      response.once('close', () => {
        this.#underWay -= 1;
      });
      send(response, this.answering({ method, url, query, headers }, index), method === 'HEAD');
    };
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Runs until the test ends. */
  static async start(
    test: Cleanup,
    answering: Answering,
    tls?: { readonly key: string; readonly cert: string },
  ): Promise<FakeStore> {
    const store = new FakeStore(answering, tls);
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    defer(test, () => store.close());
    return store;
  }

  get origin(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the fake store is closed');
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${address.port}`;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function send(response: ServerResponse, reply: Reply, headOnly: boolean): void {
  if (reply === 'hang') return;
  if (reply === 'cut') {
    response.socket?.destroy();
    return;
  }
  const body = Buffer.from(reply.body ?? '');
  const length = reply.chunked === true ? {} : { 'content-length': String(body.length) };
  const headers = Object.entries({ ...length, ...reply.headers }).filter(([, value]) => value.length > 0);
  response.writeHead(reply.status, Object.fromEntries(headers) as OutgoingHttpHeaders);
  if (headOnly) response.end();
  else if (reply.dripMs !== undefined) drip(response, body, reply.dripMs);
  else if (reply.cutAfter !== undefined) {
    response.write(body.subarray(0, reply.cutAfter), () => response.socket?.destroy());
  } else if (reply.stallAfter !== undefined) response.write(body.subarray(0, reply.stallAfter));
  else response.end(body);
}

/** Sends the body byte by byte, until the connection is closed or the body ends. */
function drip(response: ServerResponse, body: Buffer, milliseconds: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (at === body.length) response.end();
    else response.write(body.subarray(at, ++at));
  }, milliseconds);
  response.once('close', () => clearInterval(timer));
}

/** An S3 error document. */
export function errorDocument(code: string, message = 'as the store says', more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}<RequestId>4442587FB7D0A2F9</RequestId></Error>`;
}

export const LAST_MODIFIED = 'Wed, 12 Oct 2022 17:50:00 GMT';

/** An answer with an object. */
export function object(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Exclude<Reply, string> {
  return { status: 200, body, headers: { etag: '"not-an-md5"', 'last-modified': LAST_MODIFIED, ...headers } };
}

/** The ETag of an object that was put as a whole, without quotes. */
export function etagOf(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}

/** The same bytes with one bit flipped. */
export function flipped(body: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(body);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
