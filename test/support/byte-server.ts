import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createSecureServer, TLSSocket, type TlsOptions } from 'node:tls';

/** What the server does with the connection, step after step. After the last step it keeps the connection alive. */
export type Step =
  | Uint8Array
  /** Milliseconds on the server's clock: see `ByteServerOptions.pace`. */
  | { readonly pauseMs: number }
  /** Closes the connection in TCP's way, or resets it. */
  | 'close'
  | 'reset'
  /** Sends nothing more. */
  | 'hang';

/** The steps for a request. `head`: without the empty line; `index`: the number of the request, from 0. */
export type ByteAnswering = (head: string, index: number) => readonly Step[];

export interface ByteServerOptions {
  /** Real milliseconds for one millisecond of the server; default 1. */
  readonly pace?: number;
  readonly tls?: TlsOptions;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * A server that answers with bytes: it sends what a test gives it unchanged, however wrong that is. Reads heads of
 * requests without a body, one after the other on each connection.
 */
export class ByteServer {
  /** The head of each request, unchanged. */
  readonly requests: string[] = [];
  /** The number of connections that the server has accepted. */
  accepted = 0;
  /** For each connection over TLS, whether it has resumed a session. */
  readonly resumed: boolean[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answering: ByteAnswering;
  readonly #pace: number;

  private constructor(answering: ByteAnswering, { pace = 1, tls }: ByteServerOptions) {
    this.#answering = answering;
    this.#pace = pace;
    const onSocket = (socket: Socket): void => this.#serve(socket);
    this.#server =
      tls === undefined ? createServer({ noDelay: true }, onSocket) : createSecureServer(tls, onSocket);
    // A client may refuse the certificate.
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(answering: ByteAnswering, options: ByteServerOptions = {}): Promise<ByteServer> {
    const server = new ByteServer(answering, options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is closed');
    return address.port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The number of connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Cuts all connections, as a store does when it restarts. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.accepted++;
    if (socket instanceof TLSSocket) this.resumed.push(socket.isSessionReused());
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A client may reset its connection.
    socket.on('error', () => socket.destroy());
    let read = '';
    let busy = Promise.resolve();
    socket.on('data', (bytes: Buffer) => {
      read += bytes.toString('latin1');
      for (let end = read.indexOf(END_OF_HEAD); end >= 0; end = read.indexOf(END_OF_HEAD)) {
        const head = read.slice(0, end);
        const index = this.requests.push(head) - 1;
        read = read.slice(end + END_OF_HEAD.length);
        busy = busy.then(() => this.#play(socket, this.#answering(head, index)));
      }
    });
  }

  async #play(socket: Socket, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (socket.destroyed) return;
      if (step === 'close') socket.end();
      else if (step === 'reset') socket.resetAndDestroy();
      else if (step === 'hang') await new Promise<void>((resolve) => socket.once('close', resolve));
      else if (step instanceof Uint8Array) await send(socket, step);
      else await delay(step.pauseMs * this.#pace, undefined, { ref: false });
    }
  }
}

/** Resolves when the bytes have left, so that pieces arrive one by one. */
async function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  await new Promise((resolve) => socket.write(bytes, resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
