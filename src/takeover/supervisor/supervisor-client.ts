import { constants } from 'node:os';
import { type Order, OrderReader, says, type TakeoverDeadline } from './supervisor-messages.ts';
import type { SupervisorSocket } from './supervisor-socket.ts';

/** Errors of send(2) if no process has the other end any more. */
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
  /** Kills the supervisor, and never a later process with the same pid. */
  readonly kill: () => void;
}

export interface SupervisorClientOptions {
  readonly supervisor: RunningSupervisor;
  /** How often a server was started again. */
  readonly restarts: number;
  /** Why the supervisor started another server. */
  readonly reason: string;
  /** Starts another supervisor for this server; undefined if that fails. */
  readonly startAnother: () => RunningSupervisor | undefined;
  readonly onOrder: (order: Order) => void;
  /** Called when the supervisor has closed its end. */
  readonly onOrphaned: () => void;
}

/** Talks to the supervisor, and replaces it when it is gone. */
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

  /** Why the supervisor started another server. A candidate learns this when it takes over. */
  get reason(): string {
    return this.#reason;
  }

  /** Sends a message, with a descriptor unless `fd` is negative. Returns 0, or the errno on failure. */
  send(message: string, fd = -1): number {
    return this.#supervisor.socket.send(message, fd);
  }

  setTakeoverDeadline(deadline: TakeoverDeadline): void {
    this.#deadline = deadline;
    this.send(says.deadline(deadline));
  }

  /**
   * Tells the supervisor that this server is alive. A healthy server calls this at regular intervals. Returns
   * whether the supervisor exists. If the socket of the supervisor is full, it was stopped for a minute, and
   * is killed here. Another supervisor is started only after its end, because two supervisors would let two
   * servers serve the same connection.
   */
  alive(): boolean {
    const failure = this.send(says.alive);
    if (failure === constants.errno.EAGAIN) this.#supervisor.kill();
    return !GONE.has(failure);
  }

  /** Registers a function that sends a later supervisor what this server has sent to the first one. */
  onAnother(repeat: () => void): void {
    this.#repeated.push(repeat);
  }

  /** Replaces a supervisor that is gone. Returns whether the new one runs. */
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
