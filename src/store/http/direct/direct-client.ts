import type { SecureContext } from 'node:tls';
import type { AnswerHandler, RequestDispatcher, SentRequest } from '../request-dispatcher.ts';
import { HeadReader } from './answer-head.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { DirectRequest } from './direct-request.ts';
import { SocketOpener } from './open-socket.ts';

export interface DirectClientOptions {
  /** The maximum number of connections at a time. */
  readonly connections: number;
  /** Milliseconds to establish a connection, including TLS. */
  readonly connectTimeout: number;
  /** Called at the first connection, and only for https:. */
  readonly secureContext: () => SecureContext;
}

/**
 * Sends requests by HTTP/1.1 straight to one server, over connections that are kept. It supports only what
 * requests to a store need: GET and HEAD, without bodies.
 */
export class DirectClient implements RequestDispatcher, ConnectionOwner {
  readonly heads = new HeadReader();
  readonly #opener: SocketOpener;
  readonly #options: DirectClientOptions;
  readonly #connections = new Set<Connection>();
  /** Connections that will soon take a request, because they are being opened or are given time to fail. */
  readonly #coming = new Set<Connection>();
  /**
   * Connections that carry no request. The one used last is used next, so that unneeded connections time out.
   */
  readonly #free: Connection[] = [];
  #waiting: DirectRequest[] = [];
  #closed = false;

  constructor(origin: string, options: DirectClientOptions) {
    this.#opener = new SocketOpener(new URL(origin), options.secureContext);
    this.#options = options;
  }

  /** @throws {ConnectionFailure} ERR_INVALID_CHAR, or ECANCELED after destroy() */
  dispatch(sent: SentRequest, handler: AnswerHandler): void {
    if (this.#closed) throw clientClosed();
    const request = new DirectRequest(sent, handler);
    handler.onRequestStart(request);
    if (request.over) return;
    this.#waiting.push(request);
    const connection = this.#takeFree();
    if (connection === undefined) this.#openMore();
    else this.#offer(connection);
  }

  async destroy(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#connections) connection.close(clientClosed());
    for (const request of this.#waiting.splice(0)) request.fail(clientClosed());
  }

  onOpen(connection: Connection): void {
    this.#coming.delete(connection);
    const request = this.#takeWaiting();
    if (request === undefined) this.#free.push(connection);
    else connection.carry(request);
  }

  onAnswered(connection: Connection): void {
    this.#offer(connection);
  }

  onClosed(connection: Connection, refused: Error | undefined): void {
    this.#connections.delete(connection);
    this.#coming.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
    if (this.#closed) return;
    this.#forgetThoseOver();
    // While as many connections are coming as requests wait, each request may still be served.
    if (refused !== undefined && this.#waiting.length > this.#coming.size) this.#takeWaiting()?.fail(refused);
    this.#openMore();
  }

  /**
   * Gives a used connection its next request, but first reads what the server has sent so far: bytes after an
   * answer would be taken for the answer to the next request. If there are such bytes, they close the
   * connection instead.
   */
  #offer(connection: Connection): void {
    this.#coming.add(connection);
    setImmediate(() => {
      if (this.#coming.has(connection)) this.onOpen(connection);
    });
  }

  #takeFree(): Connection | undefined {
    for (;;) {
      const connection = this.#free.pop();
      if (connection === undefined || connection.isUsable) return connection;
      connection.close(new ConnectionFailure('ECONNRESET', 'the connection was unused for too long'));
    }
  }

  #takeWaiting(): DirectRequest | undefined {
    for (;;) {
      const request = this.#waiting.shift();
      if (request === undefined || !request.over) return request;
    }
  }

  #forgetThoseOver(): void {
    if (this.#waiting.some(({ over }) => over)) this.#waiting = this.#waiting.filter(({ over }) => !over);
  }

  /** Opens a connection for each request that waits, up to the allowed number of connections. */
  #openMore(): void {
    const { connections, connectTimeout } = this.#options;
    this.#forgetThoseOver();
    while (this.#coming.size < this.#waiting.length && this.#connections.size < connections) {
      try {
        const connection = new Connection(this.#opener, connectTimeout, this);
        this.#connections.add(connection);
        this.#coming.add(connection);
      } catch (error) {
        this.#takeWaiting()?.fail(error as Error);
      }
    }
  }
}

function clientClosed(): ConnectionFailure {
  return new ConnectionFailure('ECANCELED', 'the client was closed');
}
