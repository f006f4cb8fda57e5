import { STATUS_CODES } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../../base/logger.ts';
import { type Answer, checked, type Route } from '../endpoints/route.ts';
import { prefersOpenMetrics } from '../metrics/open-metrics.ts';
import { RefusedRequest } from '../refused-request.ts';
import { typeOf } from './answer-writer.ts';
import { addressOf, queryOf } from './request-target.ts';
import { Router } from './router.ts';
import { StrangerBound } from './stranger-bound.ts';

export interface OpenLimits {
  readonly connections: number;
  /** Maximum number of connections from one address. */
  readonly connectionsOfPeer: number;
  /** Maximum size of a request's head. */
  readonly headBytes: number;
  /** The longest life of a connection, whatever it requests and however slowly it reads. */
  readonly connectionMs: number;
  /** How long an answer is reused: all requests within this time get the same answer. */
  readonly freshMs: number;
}

const LIMITS: OpenLimits = {
  connections: 128,
  connectionsOfPeer: 32,
  headBytes: 8 * 1024,
  connectionMs: 10_000,
  freshMs: 1_000,
};

export interface OpenServerOptions {
  readonly routes: readonly Route[];
  readonly log: Logger;
  readonly limits?: Partial<OpenLimits>;
  /** Milliseconds, on a clock that never goes back. */
  readonly now?: () => number;
}

interface Kept {
  readonly at: number;
  readonly answer: Promise<Buffer>;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * Serves requests that anyone on the network may send: a few routes, none of which accepts or changes
 * anything. A flood of requests must not delay the thread that publishes changes, so this server does less
 * than node:http. It serves one request per connection, and reads only the head of that request. It computes
 * one answer per second for each route, for all clients. Bytes after the head are dropped unread.
 */
export class OpenServer {
  readonly server: Server;
  readonly #router: Router;
  readonly #log: Logger;
  readonly #limits: OpenLimits;
  readonly #now: () => number;
  readonly #bound: StrangerBound;
  /** The last answers, by route and format. The table of routes bounds their number. */
  readonly #kept = new Map<string, Kept>();

  constructor({ routes, log, limits = {}, now = () => performance.now() }: OpenServerOptions) {
    this.#router = new Router(routes);
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
    this.#now = now;
    this.#bound = new StrangerBound(this.#limits.connections, this.#limits.connectionsOfPeer);
    this.server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  /** Accepts no more connections, and ends the current ones. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#bound.endAll();
    await closed;
  }

  #serve(socket: Socket): void {
    // Just closes the connection after any error, because clients are untrusted.
    socket.on('error', () => socket.destroy());
    if (!this.#bound.add(socket)) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), this.#limits.connectionMs);
    socket.once('close', () => clearTimeout(timer));
    let head = '';
    const read = (bytes: Buffer): void => {
      head += bytes.toString('latin1', 0, this.#limits.headBytes + 1 - head.length);
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0 && head.length <= this.#limits.headBytes) return;
      socket.removeListener('data', read);
      // Stops reading: whatever the client still sends stays in the socket's buffer, and is dropped with the
      // connection.
      socket.pause();
      this.#bound.asked(socket);
      void this.#answerTo(end < 0 ? undefined : head.slice(0, end)).then((answer) => {
        if (!socket.destroyed) socket.end(answer, () => socket.destroySoon());
      });
    };
    socket.on('data', read);
  }

  /**
   * Returns the answer to a request. Never rejects. `head` is undefined if the head of the request is too
   * long.
   */
  async #answerTo(head: string | undefined): Promise<Buffer> {
    const isHead = head?.startsWith('HEAD ') === true;
    try {
      if (head === undefined) {
        throw new RefusedRequest(
          'headers-too-large',
          'The head of the request is too long.',
          'Send less of it.',
        );
      }
      return withoutBody(await this.#found(head), isHead);
    } catch (error) {
      return withoutBody(this.#refusal(error), isHead);
    }
  }

  #found(head: string): Promise<Buffer> {
    const lines = head.split('\r\n');
    const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(lines[0] ?? '') ?? [];
    if (method === undefined || target === undefined) {
      throw new RefusedRequest('malformed-request', 'This is not HTTP/1.1.', 'Speak HTTP/1.1, as curl does.');
    }
    const accept = lines
      .slice(1)
      .find((line) => /^accept:/i.test(line))
      ?.slice('accept:'.length);
    const { path, query } = addressOf(target);
    const { route } = this.#router.match(method, path);
    const asked = checked(route.query, queryOf(query), 'bad-parameter');
    const format = prefersOpenMetrics(accept);
    const key = `${route.path} ${format}`;
    const now = this.#now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && now - kept.at < this.#limits.freshMs) return kept.answer;
    const call = {
      parameters: {},
      query: asked,
      body: undefined,
      headers: accept === undefined ? {} : { accept },
      id: '',
      // Never aborts, because another client may wait for the same answer when one client has gone.
      signal: new AbortController().signal,
    };
    const answer = this.#make(route, call);
    this.#kept.set(key, { at: now, answer });
    return answer;
  }

  /**
   * Computes the answer of a route. Never rejects: a failure becomes an answer, which is kept and which all
   * clients of that time get; it is logged once.
   */
  async #make(route: Route, call: Parameters<Route['handle']>[0]): Promise<Buffer> {
    try {
      return bytesOf(await route.handle(call));
    } catch (error) {
      return this.#refusal(error);
    }
  }

  #refusal(error: unknown): Buffer {
    const { status, details, headers } = error instanceof RefusedRequest ? error : this.#unforeseen(error);
    return bytesOf({ status, json: details, headers });
  }

  #unforeseen(error: unknown): RefusedRequest {
    this.#log.error(
      { event: 'open-request-failed', err: error },
      'a request to the metrics port failed with an unexpected error',
    );
    return new RefusedRequest(
      'internal',
      'The request failed with an unexpected error.',
      'The log says why.',
    );
  }
}

function bytesOf(answer: Answer): Buffer {
  if ('pieces' in answer || 'empty' in answer)
    throw new TypeError('such an answer is for the control socket');
  const content = Buffer.from('json' in answer ? JSON.stringify(answer.json) : answer.text);
  const fields = {
    'Content-Type': typeOf(answer),
    'Content-Length': content.length,
    'Cache-Control': 'no-store',
    Connection: 'close',
    ...answer.headers,
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`;
  return Buffer.concat([Buffer.from(`${status}${head.join('')}\r\n`), content]);
}

/** Removes the body from the answer to a HEAD request, which is otherwise the answer to GET. */
function withoutBody(answer: Buffer, isHead: boolean): Buffer {
  return isHead ? answer.subarray(0, answer.indexOf(END_OF_HEAD) + END_OF_HEAD.length) : answer;
}
