import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Addon } from '../../session/kernel/addon.ts';

/** A server's end of its connection with the supervisor. */
export interface SupervisorSocket {
  /** Sends a message, with a descriptor unless `fd` is negative. Returns 0 or the errno, and never waits. */
  send(message: string, fd: number): number;
  /**
   * Calls `onBytes` with what the supervisor sends, and `onClosed` when the supervisor has closed its end.
   * Must be called once.
   */
  listen(onBytes: (bytes: Uint8Array) => void, onClosed: () => void): void;
  /** Closes the socket. The listeners are not called any more. */
  close(): void;
}

/** Both sockets that docs/takeover.md describes: one for messages to the supervisor, one for its orders. */
export class NativeSupervisorSocket implements SupervisorSocket {
  readonly #addon: Pick<Addon, 'sendFd'>;
  readonly #messages: number;
  readonly #ordersFd: number | undefined;
  #orders: Socket | undefined;

  constructor(addon: Pick<Addon, 'sendFd'>, messages: number, orders: number | undefined) {
    this.#addon = addon;
    this.#messages = messages;
    this.#ordersFd = orders;
  }

  send(message: string, fd: number): number {
    return this.#addon.sendFd(this.#messages, message, fd);
  }

  listen(onBytes: (bytes: Uint8Array) => void, onClosed: () => void): void {
    if (this.#ordersFd === undefined) return;
    const orders = new Socket({ fd: this.#ordersFd, readable: true, writable: false });
    this.#orders = orders;
    orders.on('data', onBytes);
    // A 'close' event follows each error.
    orders.on('error', () => undefined);
    orders.on('close', onClosed);
    orders.unref();
  }

  close(): void {
    closeSync(this.#messages);
    this.#orders?.removeAllListeners('data').removeAllListeners('close');
    this.#orders?.destroy();
  }
}
