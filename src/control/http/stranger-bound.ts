import type { Socket } from 'node:net';

/**
 * Bounds the connections of a server that is open to all, in total and per peer (address). If there is one
 * too many, closes the oldest connection that has sent no request. This is a connection of the new
 * connection's peer if that peer has too many, and otherwise of the peer with the most connections. If there
 * is none, refuses the new connection. So silent clients cannot lock others out, and a client that waits for
 * an answer gets it.
 */
export class StrangerBound {
  readonly #most: number;
  readonly #mostOfPeer: number;
  /** The sockets of each peer, the oldest first, and whether each socket has sent a request. */
  readonly #peers = new Map<string, Map<Socket, boolean>>();
  #count = 0;

  constructor(most: number, mostOfPeer: number) {
    this.#most = most;
    this.#mostOfPeer = mostOfPeer;
  }

  /** Adds a connection. Returns whether it may stay. */
  add(socket: Socket): boolean {
    const peer = socket.remoteAddress ?? '';
    const mine = this.#peers.get(peer) ?? new Map<Socket, boolean>();
    if (mine.size >= this.#mostOfPeer && !this.#endSilent(mine)) return false;
    if (this.#count >= this.#most && !this.#endSilent(this.#largest() ?? mine)) return false;
    this.#peers.set(peer, mine);
    mine.set(socket, false);
    this.#count += 1;
    socket.once('close', () => this.#remove(peer, mine, socket));
    return true;
  }

  /** Marks a connection that has sent a request. It stays until the answer is sent. */
  asked(socket: Socket): void {
    const mine = this.#peers.get(socket.remoteAddress ?? '');
    if (mine?.has(socket) === true) mine.set(socket, true);
  }

  endAll(): void {
    for (const mine of this.#peers.values()) for (const socket of mine.keys()) socket.destroy();
  }

  #endSilent(sockets: Map<Socket, boolean>): boolean {
    for (const [socket, asked] of sockets) {
      if (asked) continue;
      this.#remove(socket.remoteAddress ?? '', sockets, socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #largest(): Map<Socket, boolean> | undefined {
    let largest: Map<Socket, boolean> | undefined;
    for (const mine of this.#peers.values()) if (mine.size > (largest?.size ?? 0)) largest = mine;
    return largest;
  }

  #remove(peer: string, mine: Map<Socket, boolean>, socket: Socket): void {
    if (!mine.delete(socket)) return;
    this.#count -= 1;
    if (mine.size === 0 && this.#peers.get(peer) === mine) this.#peers.delete(peer);
  }
}
