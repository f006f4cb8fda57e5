import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer, TLSSocket, type TlsOptions } from 'node:tls';
import { type Cleanup, defer } from '../support/temporary.ts';

/** What is done with a connection, one after the other. After the last step it stays open. */
export type Sent = string | Uint8Array | 'CLOSE' | 'RESET';

/** A server that sends what it is told to, byte for byte. */
export class ByteServer {
  /** The head of each request, as it came. */
  readonly requests: string[] = [];
  /** Connections that were accepted. */
  accepted = 0;
  /** Whether each connection by TLS has resumed a session. */
  readonly resumed: boolean[] = [];
  /** Of which connection, from 0, each request came. */
  readonly connectionOf: number[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answering: (index: number) => readonly Sent[];

  private constructor(answering: (index: number) => readonly Sent[], tls: TlsOptions | undefined) {
    this.#answering = answering;
    const onSocket = (socket: Socket): void => this.#accept(socket);
    this.#server = tls === undefined ? createServer(onSocket) : createSecureServer(tls, onSocket);
    // A client that refuses the certificate.
    this.#server.on('tlsClientError', () => undefined);
  }

  /** Ends with the test. */
  static async start(
    t: Cleanup,
    answering: (index: number) => readonly Sent[],
    tls?: TlsOptions,
  ): Promise<ByteServer> {
    const started = new ByteServer(answering, tls);
    await new Promise<void>((resolve) => started.#server.listen(0, '127.0.0.1', resolve));
    defer(t, () => started.#stop());
    return started;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  #accept(socket: Socket): void {
    const connection = this.accepted++;
    if (socket instanceof TLSSocket) this.resumed.push(socket.isSessionReused());
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let read = '';
    socket.on('data', (bytes: Buffer) => {
      read += bytes.toString('latin1');
      for (let end = read.indexOf('\r\n\r\n'); end >= 0; end = read.indexOf('\r\n\r\n')) {
        const index = this.requests.push(read.slice(0, end)) - 1;
        this.connectionOf.push(connection);
        read = read.slice(end + 4);
        void this.#send(socket, this.#answering(index));
      }
    });
  }

  async #send(socket: Socket, steps: readonly Sent[]): Promise<void> {
    for (const step of steps) {
      if (socket.destroyed) return;
      if (step === 'CLOSE') socket.end();
      else if (step === 'RESET') socket.resetAndDestroy();
      else {
        // Flushed, so that the pieces arrive one by one.
        await new Promise((resolve) => socket.write(step as Uint8Array, resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  async #stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
