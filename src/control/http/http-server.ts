import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../../base/logger.ts';
import { type Answer, checked, type Route } from '../endpoints/route.ts';
import { RefusedRequest } from '../refused-request.ts';
import { PROBLEM_TYPE, writeAnswer } from './answer-writer.ts';
import { ConnectionBound } from './connection-bound.ts';
import { readJson } from './request-body.ts';
import { addressOf, queryOf } from './request-target.ts';
import { Router } from './router.ts';

export interface HttpLimits {
  readonly connections: number;
  /** Maximum size of a request's head. */
  readonly headBytes: number;
  /** Time limit from the start of the connection, or of the request, to the end of the request's head. */
  readonly headMs: number;
  /** Time limit from the same start to the end of the request's body. */
  readonly requestMs: number;
  /** How long a connection may stay without a request. */
  readonly idleMs: number;
  /** How long a client may read nothing of the answer. */
  readonly answerMs: number;
}

const LIMITS: HttpLimits = {
  connections: 128,
  headBytes: 8 * 1024,
  headMs: 5_000,
  requestMs: 10_000,
  idleMs: 30_000,
  answerMs: 30_000,
};

/** The longest time that requests in progress may delay close(). */
const CLOSE_MS = 1_000;

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly log: Logger;
  readonly limits?: Partial<HttpLimits>;
}

/** Serves HTTP/1.1 over any listener, with bounds and time limits, and answers every error in JSON. */
export class HttpServer {
  readonly server: Server;
  readonly #router: Router;
  readonly #log: Logger;
  readonly #limits: HttpLimits;
  readonly #bound: ConnectionBound;
  #lastRequest = 0;
  #underWay = 0;
  #onIdle: () => void = () => undefined;

  constructor({ routes, log, limits = {} }: HttpServerOptions) {
    this.#router = new Router(routes);
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
    const { headBytes, headMs, requestMs, idleMs, connections } = this.#limits;
    this.server = createServer(
      {
        maxHeaderSize: headBytes,
        headersTimeout: headMs,
        requestTimeout: requestMs,
        keepAliveTimeout: idleMs,
        connectionsCheckingInterval: Math.min(1_000, headMs),
        // Node.js does not check the Host header, because #answer() does, with an error in the same form as
        // others.
        requireHostHeader: false,
      },
      (request, response) => {
        this.#serve(request, response).catch((error: unknown) => {
          log.error(
            { event: 'control-answer-failed', err: error },
            'a response of the control socket could not be sent',
          );
          response.destroy();
        });
      },
    );
    this.#bound = new ConnectionBound(this.server, connections);
    this.server.on('checkExpectation', ({ socket }: IncomingMessage) =>
      // Closes the connection, because a body that follows would be parsed as the next request.
      this.#refuse(
        socket,
        new RefusedRequest(
          'expectation-failed',
          'Nothing is expected here but 100-continue.',
          'Leave Expect out.',
        ),
      ),
    );
    // Answers CONNECT with an error. Without this handler, the connection would just be closed.
    this.server.on('connect', (_: IncomingMessage, socket: Socket) =>
      this.#refuse(
        socket,
        new RefusedRequest('method-not-allowed', 'This is no proxy.', 'Ask for /v1/status.', {
          headers: { Allow: 'GET, HEAD, POST, PUT' },
        }),
      ),
    );
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      this.#refuse(socket, problemOfParser(error.code)),
    );
  }

  /** Accepts no more connections, and resolves when requests in progress have ended or were aborted. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections();
    const timer = setTimeout(() => this.server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }

  /** Resolves when every requested answer has been passed to the kernel, or after `deadlineMs`. */
  async answered(deadlineMs: number): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    this.#lastRequest += 1;
    this.#underWay += 1;
    const id = String(this.#lastRequest);
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort();
      this.#bound.idle(socket);
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#onIdle();
    });
    const { signal } = gone;
    try {
      const answer = await this.#answer(id, request, signal);
      await writeAnswer(request.method, response, answer, this.#limits.answerMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof RefusedRequest ? error : this.#unforeseen(id, request, error);
      // An answer that has begun can only be aborted. This shows the client that the answer is incomplete.
      if (response.headersSent) response.destroy();
      else await writeAnswer(request.method, response, answerOf(problem), this.#limits.answerMs, signal);
    }
  }

  async #answer(id: string, request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    const { method = '', url = '' } = request;
    if (request.httpVersion !== '1.0' && request.headers.host === undefined) {
      throw new RefusedRequest(
        'malformed-request',
        'The request names no host.',
        'Send a Host field; any will do.',
      );
    }
    const { path, query } = addressOf(url);
    const { route, parameters } = this.#router.match(method, path);
    const asked = checked(route.query, queryOf(query), 'bad-parameter');
    const body =
      route.body === undefined ? undefined : checked(route.body, await readJson(request), 'bad-body');
    this.#bound.busy(request.socket);
    const call = { parameters, query: asked, body, headers: request.headers, id, signal };
    return route.changes
      ? await this.#logged({ request: id, what: `${method} ${path}`, body }, () => route.handle(call))
      : await route.handle(call);
  }

  /** Logs every request that changes something, with its result. */
  async #logged(fields: object, handle: () => Promise<Answer> | Answer): Promise<Answer> {
    this.#log.info({ event: 'asked', ...fields }, 'a client requested a change');
    try {
      const answer = await handle();
      this.#log.info(
        { event: 'answered', ...fields, status: answer.status },
        'the request for a change was answered',
      );
      return answer;
    } catch (error) {
      const code = error instanceof RefusedRequest ? error.code : 'internal';
      this.#log.info(
        { event: 'answered', ...fields, code },
        'the request for a change was answered with an error',
      );
      throw error;
    }
  }

  /** Answers a request that has no response object, for example because the parser rejected it. */
  #refuse(socket: Socket, { status, details, headers }: RefusedRequest): void {
    // Sends no error in the middle of another answer.
    if (!socket.writable || this.#bound.isBusy(socket)) {
      socket.destroy();
      return;
    }
    const body = JSON.stringify(details);
    const fields = {
      'Content-Type': PROBLEM_TYPE,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      Connection: 'close',
      ...headers,
    };
    const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${details.title}\r\n${head.join('')}\r\n${body}`);
    socket.setTimeout(1_000, () => socket.destroy());
  }

  #unforeseen(id: string, { method, url }: IncomingMessage, error: unknown): RefusedRequest {
    this.#log.error(
      { event: 'control-request-failed', request: id, method, url, err: error },
      'a request to the control socket failed with an unexpected error',
    );
    return new RefusedRequest(
      'internal',
      `Request ${id} failed with an unexpected error.`,
      'The log says why.',
    );
  }
}

function answerOf({ status, details, headers }: RefusedRequest): Answer {
  return { status, json: details, headers };
}

function problemOfParser(code: string | undefined): RefusedRequest {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new RefusedRequest(
      'headers-too-large',
      'The head of the request is too long.',
      'Send less of it.',
    );
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new RefusedRequest('request-timeout', 'The request did not come in time.', 'Send it at once.');
  }
  return new RefusedRequest('malformed-request', 'This is not HTTP/1.1.', 'Speak HTTP/1.1, as curl does.');
}
