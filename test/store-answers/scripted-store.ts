import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Step } from './wire.ts';

/** One request, as its head says. */
export interface Asked {
  readonly method: string;
  /** Below the bucket, decoded; empty: the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
}

export type Answering = (asked: Asked) => readonly Step[];

const endOfHead = Buffer.from('\r\n\r\n');

/**
 * A store whose answers are bytes: what a test says goes over the wire as it is, however wrong that is. Reads heads of
 * requests without a body, one after the other on each connection.
 */
export class ScriptedStore {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answering: Answering;
  /** Real milliseconds for one of the store's. */
  readonly #yielder: number;

  private constructor(answering: Answering, yielder: number) {
    this.#answering = answering;
    this.#yielder = yielder;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async start(answering: Answering, yielder: number): Promise<ScriptedStore> {
    const store = new ScriptedStore(answering, yielder);
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    return store;
  }

  get origin(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the store is closed');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Ends what is under way, as a store does that is started anew. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // What a client tears down is its own affair.
    socket.on('error', () => socket.destroy());
    let partial: Buffer = Buffer.alloc(0);
    let busy = Promise.resolve();
    socket.on('data', (bytes: Buffer) => {
      partial = Buffer.concat([partial, bytes]);
      for (let end = partial.indexOf(endOfHead); end >= 0; end = partial.indexOf(endOfHead)) {
        const head = partial.toString('latin1', 0, end);
        partial = partial.subarray(end + endOfHead.length);
        busy = busy.then(() => this.#play(socket, this.#answering(askedOf(head))));
      }
    });
  }

  async #play(socket: Socket, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (socket.destroyed) return;
      if (step === 'close') socket.end();
      else if (step === 'reset') socket.resetAndDestroy();
      else if (step === 'hang') await new Promise<void>((resolve) => socket.once('close', resolve));
      else if (step instanceof Uint8Array) socket.write(step);
      else await delay(step.pauseMs * this.#yielder, undefined, { ref: false });
    }
  }
}

function askedOf(head: string): Asked {
  const [method = '', url = ''] = head.split(' ', 2);
  const [path = '', query = ''] = url.split('?', 2);
  return {
    method,
    key: path.split('/').slice(2).map(decodeURIComponent).join('/'),
    query: new URLSearchParams(query),
    header: (name) => new RegExp(`^${name}:[ \\t]*(.*?)\\r?$`, 'im').exec(head)?.[1],
  };
}
