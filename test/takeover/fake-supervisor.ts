import { constants } from 'node:os';
import type { RunningSupervisor } from '../../src/takeover/supervisor/supervisor-client.ts';
import type { SupervisorSocket } from '../../src/takeover/supervisor/supervisor-socket.ts';

/** The supervisor's end of a server's sockets: records what the server sends, and sends what a test says. */
export class FakeSupervisor implements SupervisorSocket {
  /** Messages, each with its descriptor if there was one. */
  readonly sent: (string | readonly [message: string, fd: number])[] = [];
  isClosed = false;
  kills = 0;
  #failure = 0;
  #onBytes: (bytes: Uint8Array) => void = () => undefined;
  #onClosed: () => void = () => undefined;
  readonly #pid: number;

  constructor(pid = 100) {
    this.#pid = pid;
  }

  get running(): RunningSupervisor {
    const kill = (): void => {
      this.kills += 1;
    };
    return { socket: this, pid: this.#pid, kill };
  }

  send(message: string, fd: number): number {
    if (this.#failure === 0) this.sent.push(fd < 0 ? message : [message, fd]);
    return this.#failure;
  }

  listen(onBytes: (bytes: Uint8Array) => void, onClosed: () => void): void {
    this.#onBytes = onBytes;
    this.#onClosed = onClosed;
  }

  close(): void {
    this.isClosed = true;
    this.#onBytes = () => undefined;
    this.#onClosed = () => undefined;
  }

  say(bytes: string | Uint8Array): void {
    this.#onBytes(Buffer.from(bytes));
  }

  /** From now on, no process has the other end any more. */
  die(): void {
    this.#failure = constants.errno.EPIPE;
    this.#onClosed();
  }

  /** From now on, the supervisor reads nothing, and its socket is full. */
  standStill(): void {
    this.#failure = constants.errno.EAGAIN;
  }
}
