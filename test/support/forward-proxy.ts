import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';

/** The proxy that HTTP_PROXY and HTTPS_PROXY name: it tunnels CONNECT, and forwards requests in absolute form. */
export class ForwardProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The host:port of each tunnel and forwarded request, in order. */
  readonly seen: string[] = [];

  private constructor() {
    this.#server = createServer((incoming, outgoing) => {
      const url = new URL(incoming.url ?? '');
      this.seen.push(url.host);
      const passed = request(url, { method: incoming.method, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on('error', () => outgoing.destroy());
      incoming.pipe(passed);
    });
    this.#server.on('connection', (socket) => this.#track(socket));
    this.#server.on('connect', (incoming: IncomingMessage, client: Socket, first: Buffer) => {
      this.seen.push(incoming.url ?? '');
      const [host = '', port = ''] = (incoming.url ?? '').split(':');
      const store = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        store.write(first);
        store.pipe(client);
        client.pipe(store);
      });
      this.#track(store);
      store.on('close', () => client.destroy());
      client.on('close', () => store.destroy());
    });
  }

  static async start(): Promise<ForwardProxy> {
    const proxy = new ForwardProxy();
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
