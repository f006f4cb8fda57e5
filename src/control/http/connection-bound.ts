import type { Server, Socket } from 'node:net';

/**
 * Bounds a server's connections. If there is one too many, closes the connection that has been idle for
 * longest, so that idle clients cannot lock others out.
 */
export class ConnectionBound {
  readonly #most: number;
  /** The idle connections, in the order in which they became idle. */
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

  /**
   * Marks a connection on which a whole request has arrived. The connection stays until that request is
   * answered.
   */
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
