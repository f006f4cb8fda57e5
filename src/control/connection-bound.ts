import type { Server, Socket } from 'node:net';

/**
 * Keeps the connections of a server to a number: where one comes too many, that one goes which has had no request
 * under way for longest. So a crowd of idle clients keeps nobody out.
 */
export class ConnectionBound {
  readonly #most: number;
  /** In the order in which they fell idle. */
  readonly #idle = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  constructor(server: Server, most: number) {
    this.#most = most;
    server.on('connection', (socket) => this.#add(socket));
  }

  get count(): number {
    return this.#idle.size + this.#busy.size;
  }

  isBusy(socket: Socket): boolean {
    return this.#busy.has(socket);
  }

  /** A whole request has come: the connection stays until it is answered. */
  busy(socket: Socket): void {
    if (this.#idle.delete(socket)) this.#busy.add(socket);
  }

  idle(socket: Socket): void {
    if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
  }

  #add(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#busy.delete(socket);
    });
    if (this.count <= this.#most) return;
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    this.#idle.delete(oldest);
    oldest.destroy();
  }
}
