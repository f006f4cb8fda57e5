import { constants } from 'node:os';
import { type Order, OrderReader, says, type TakeoverDeadline } from './supervisor-messages.ts';
import type { SupervisorSocket } from './supervisor-socket.ts';

/** What send(2) says where no process has the other end any more. */
const GONE: ReadonlySet<number> = new Set([
  constants.errno.EPIPE,
  constants.errno.ECONNRESET,
  constants.errno.ENOTCONN,
  constants.errno.ECONNREFUSED,
]);

/** A supervisor that runs this server. */
export interface RunningSupervisor {
  readonly socket: SupervisorSocket;
  readonly pid: number;
  /** Kills it, and no process that has its number later. */
  readonly kill: () => void;
}

export interface SupervisorClientOptions {
  readonly supervisor: RunningSupervisor;
  /** Times that a server was started again. */
  readonly restarts: number;
  /** Why there is another server. */
  readonly reason: string;
  /** Starts a supervisor for this server, whose own is gone; undefined where that fails. */
  readonly startAnother: () => RunningSupervisor | undefined;
  readonly onOrder: (order: Order) => void;
  /** The supervisor closed its end. */
  readonly onOrphaned: () => void;
}

/** Speaks with the supervisor, and starts another one in its place. */
export class SupervisorClient {
  readonly restarts: number;
  readonly #options: SupervisorClientOptions;
  readonly #repeated: (() => void)[] = [];
  #supervisor: RunningSupervisor;
  #reason: string;
  #deadline: TakeoverDeadline | undefined;

  constructor(options: SupervisorClientOptions) {
    this.#options = options;
    this.#supervisor = options.supervisor;
    this.restarts = options.restarts;
    this.#reason = options.reason;
    this.#listen(options.supervisor.socket);
  }

  get pid(): number {
    return this.#supervisor.pid;
  }

  /** Why there is another server; a candidate learns it as it takes over. */
  get reason(): string {
    return this.#reason;
  }

  /** Returns the errno, or 0. */
  send(message: string, fd = -1): number {
    return this.#supervisor.socket.send(message, fd);
  }

  setTakeoverDeadline(deadline: TakeoverDeadline): void {
    this.#deadline = deadline;
    this.send(says.deadline(deadline));
  }

  /**
   * To be called again and again by a server that is well. Returns whether the supervisor is there. Its socket is full when it has
   * stood still for a minute: then it is killed. Another one is started only once it is gone for good, since two supervisors
   * would each have a server of their own go on with the mount.
   */
  alive(): boolean {
    const failure = this.send(says.alive);
    if (failure === constants.errno.EAGAIN) this.#supervisor.kill();
    return !GONE.has(failure);
  }

  /** What another supervisor has to be told, too. */
  onAnother(repeat: () => void): void {
    this.#repeated.push(repeat);
  }

  /** Starts another supervisor in the place of one that is gone. Returns whether it is there. */
  startAnother(): boolean {
    const another = this.#options.startAnother();
    if (another === undefined) return false;
    this.#supervisor.socket.close();
    this.#supervisor = another;
    this.#listen(another.socket);
    for (const repeat of this.#repeated) repeat();
    if (this.#deadline !== undefined) this.setTakeoverDeadline(this.#deadline);
    return this.alive();
  }

  #listen(socket: SupervisorSocket): void {
    const reader = new OrderReader();
    socket.listen(
      (bytes) => {
        for (const order of reader.read(bytes)) {
          if (order.kind === 'go' && order.reason !== '') this.#reason = order.reason;
          this.#options.onOrder(order);
        }
      },
      () => this.#options.onOrphaned(),
    );
  }
}
