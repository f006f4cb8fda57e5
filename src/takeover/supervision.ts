import { spawn } from 'node:child_process';
import { closeSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { nodeCommand } from '../host/node-command.ts';
import type { Addon } from '../session/kernel/addon.ts';
import { supervisorProgram } from './supervisor.ts';
import type { SupervisorLink } from './supervisor-link.ts';

/** What a process keeps over the lives of its servers. */
export type KeptName =
  /** The device of the mount. While it is kept, a server that dies has a successor. */
  | 'fuse'
  /** Memory that says which mount that is. */
  | 'mount'
  /** What is kept as `fuse` is none: the mount of this server is made anew by its successor. */
  | 'own-mount'
  /** Holds the lock of the cache directory. */
  | 'lock'
  /** Memory of the requests that are not answered. */
  | 'journal'
  /** Listens at the control socket. */
  | 'control'
  /** Listens where metrics are offered over TCP. */
  | 'metrics';

/** What a supervisor says, as supervisor.c has it. */
export type Order =
  /** Another server stands by: `handOver` is to be called. */
  | { readonly kind: 'hand-over' }
  /** The other server is gone. */
  | { readonly kind: 'go'; readonly reason: string }
  /** The other server could not be ready. */
  | { readonly kind: 'dropped'; readonly reason: string }
  /** Where the threads were of a server before, which gave no sign of life. */
  | { readonly kind: 'stuck'; readonly reason: string }
  /** The supervisor is gone. */
  | { readonly kind: 'orphaned' };

export interface Patience {
  /** How long readers may wait for a server, milliseconds. */
  readonly deadlineMs: number;
  /** The file that ends their waiting when it is written to. */
  readonly abortFile: string;
}

/** What send(2) says where nobody has the other end any more. */
const GONE: ReadonlySet<number> = new Set([
  constants.errno.EPIPE,
  constants.errno.ECONNRESET,
  constants.errno.ENOTCONN,
  constants.errno.ECONNREFUSED,
]);

type SupervisionAddon = Pick<Addon, 'sendFd' | 'socketPair'>;

/** The server's end of its supervisor, which is native/supervisor: what it says is what that reads. */
export class Supervision {
  /** Times that a server was started again. */
  readonly restarts: number;
  /** Why there is another one. */
  reason: string;
  readonly #environment: SupervisorLink['environment'];
  #socket: number;
  #orders: Socket | undefined;
  readonly #inherited: Map<string, number>;
  readonly #addon: SupervisionAddon;
  readonly #onOrder: (order: Order) => void;
  /** Its file, for the one that takes its place where this version has none; undefined where that cannot be known. */
  readonly #program: string | undefined;
  /** Kills it, by a number that is nobody else's meanwhile. */
  #kill: () => void;
  /** What it keeps, of what is open here. */
  readonly #kept = new Map<KeptName, number>();
  #patience: Patience | undefined;
  #pid = process.ppid;

  constructor(
    { socket, restarts, reason, kept, environment }: SupervisorLink,
    addon: SupervisionAddon,
    onOrder: (order: Order) => void,
  ) {
    this.#socket = socket;
    this.restarts = restarts;
    this.reason = reason;
    this.#environment = environment;
    this.#inherited = new Map(kept);
    this.#addon = addon;
    this.#onOrder = onOrder;
    const first = this.#pid;
    this.#program = programOf(first);
    this.#kill = () => {
      if (process.ppid === first) process.kill(first, 'SIGKILL');
    };
    const orders = this.#inherited.get('orders');
    this.#inherited.delete('orders');
    if (orders !== undefined) this.#listen(orders);
  }

  /** The supervisor's. */
  get pid(): number {
    return this.#pid;
  }

  /** What a predecessor had kept, to be closed by the caller; the supervisor goes on keeping it. */
  inherit(name: KeptName): number | undefined {
    const fd = this.#inherited.get(name);
    this.#inherited.delete(name);
    if (fd !== undefined) this.#kept.set(name, fd);
    return fd;
  }

  /** The descriptor stays the caller's. */
  keep(name: KeptName, fd: number): void {
    this.#kept.set(name, fd);
    this.#say(`FDSTORE=1\nFDNAME=${name}`, fd);
  }

  keeps(name: KeptName): boolean {
    return this.#kept.has(name);
  }

  drop(name: KeptName): void {
    const unused = this.#inherited.get(name);
    if (unused !== undefined) closeSync(unused);
    this.#inherited.delete(name);
    this.#kept.delete(name);
    this.#say(`FDSTOREREMOVE=1\nFDNAME=${name}`);
  }

  setTakeoverDeadline(patience: Patience): void {
    this.#patience = patience;
    this.#say(`TAKEOVER=${patience.deadlineMs} ${patience.abortFile}`);
  }

  /**
   * To be said again and again by who is well. Returns whether the supervisor is there. One that stands still has read
   * nothing for a minute when its socket is full. It is killed: another one is only started once it is gone for good, since
   * two would each have a server of their own go on with the mount.
   */
  alive(): boolean {
    const failure = this.#say('WATCHDOG=1');
    if (failure === constants.errno.EAGAIN) this.#kill();
    return !GONE.has(failure);
  }

  /** Asks for a server beside this one, which then takes its place. */
  restart(): void {
    this.#say('RESTART=1');
  }

  /** Of a server beside another one: it can go on at once. */
  standBy(): void {
    this.#say('STANDBY=1');
  }

  /** One may stand by beside this server; said again and again, since it may be gone. */
  wantSpare(): void {
    this.#say('SPARE=1');
  }

  /** The other one may have it. */
  handOver(): void {
    this.#say('HANDOVER=1');
  }

  /** Readers have all that they are promised: for systemd, where that runs the supervisor. */
  ready(): void {
    this.#say('READY=1');
  }

  /** One line for people, for systemd too. */
  status(line: string): void {
    this.#say(`STATUS=${line.replaceAll('\n', ' ')}`);
  }

  /** Starts another supervisor in the place of one that is gone. It gets what that kept. Returns whether it is there. */
  startAnother(): boolean {
    // After an upgrade the file of the one that is gone may be gone, too.
    const program = supervisorProgram() ?? this.#program;
    if (program === undefined) return false;
    const [ours, theirs] = this.#addon.socketPair(true);
    const [ourOrders, theirOrders] = this.#addon.socketPair(false);
    const [entry = '', ...args] = process.argv.slice(1);
    const server = [...nodeCommand(), entry, ...args];
    const who = ['--adopt', String(process.pid), '3', '4', String(this.restarts)];
    const child = spawn(program, [...who, ...server], {
      detached: true,
      env: { ...process.env, ...this.#environment },
      stdio: ['inherit', 'inherit', 'inherit', theirs, theirOrders],
    });
    child.on('error', () => undefined);
    child.unref();
    this.#kill = () => void child.kill('SIGKILL');
    closeSync(theirs);
    closeSync(theirOrders);
    closeSync(this.#socket);
    this.#socket = ours;
    const former = this.#orders;
    this.#listen(ourOrders);
    former?.destroy();
    this.#pid = child.pid ?? 0;
    for (const [name, fd] of this.#kept) this.keep(name, fd);
    if (this.#patience !== undefined) this.setTakeoverDeadline(this.#patience);
    return this.alive();
  }

  #listen(fd: number): void {
    const socket = new Socket({ fd, readable: true, writable: false });
    this.#orders = socket;
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const order = orderOf(line);
        if (order?.kind === 'go' && order.reason !== '') this.reason = order.reason;
        if (order !== undefined) this.#onOrder(order);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#orders === socket) this.#onOrder({ kind: 'orphaned' });
    });
    socket.unref();
  }

  /** Returns the errno, or 0. */
  #say(message: string, fd = -1): number {
    return this.#addon.sendFd(this.#socket, message, fd);
  }
}

/** Undefined for what another version of the supervisor may say. */
function orderOf(line: string): Order | undefined {
  const [kind, ...reason] = line.split(' ');
  if (kind === 'hand-over') return { kind };
  return kind === 'dropped' || kind === 'go' || kind === 'stuck'
    ? { kind, reason: reason.join(' ') }
    : undefined;
}

function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
