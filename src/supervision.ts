import { spawn } from 'node:child_process';
import { closeSync, readlinkSync } from 'node:fs';
import type { SupervisorLink } from './cli/server-port.ts';
import type { Addon } from './session/kernel/addon.ts';

/** What a process keeps over the lives of its servers. */
export type KeptName =
  /** The device of the mount. While it is kept, a server that dies has a successor. */
  | 'fuse'
  /** Holds the lock of the cache directory. */
  | 'lock'
  /** Memory of the requests that are not answered. */
  | 'journal'
  /** Listens at the control socket. */
  | 'control';

/** The server's end of its supervisor, which is native/supervisor/supervisor.c: what it says is what that reads. */
export class Supervision {
  /** Times that a server was started again. */
  readonly restarts: number;
  /** Why the one before ended. */
  readonly reason: string;
  #socket: number;
  readonly #inherited: Map<string, number>;
  readonly #addon: Pick<Addon, 'sendFd' | 'socketPair'>;
  /** Its file, for the one that takes its place; undefined where that cannot be known. */
  readonly #program: string | undefined;
  /** What it keeps, of what is open here. */
  readonly #kept = new Map<KeptName, number>();

  constructor(
    { socket, restarts, reason, kept }: SupervisorLink,
    addon: Pick<Addon, 'sendFd' | 'socketPair'>,
  ) {
    this.#socket = socket;
    this.restarts = restarts;
    this.reason = reason;
    this.#inherited = new Map(kept);
    this.#addon = addon;
    this.#program = programOf(process.ppid);
  }

  /** What a predecessor had kept, to be closed by the caller; the supervisor goes on keeping it. */
  inherit(name: KeptName): number | undefined {
    const fd = this.#inherited.get(name);
    this.#inherited.delete(name);
    if (fd !== undefined) this.#kept.set(name, fd);
    return fd;
  }

  /** The descriptor stays the caller's. Returns whether the supervisor is there. */
  keep(name: KeptName, fd: number): boolean {
    this.#kept.set(name, fd);
    return this.#addon.sendFd(this.#socket, `FDSTORE=1\nFDNAME=${name}`, fd);
  }

  drop(name: KeptName): void {
    const unused = this.#inherited.get(name);
    if (unused !== undefined) closeSync(unused);
    this.#inherited.delete(name);
    this.#kept.delete(name);
    this.#addon.sendFd(this.#socket, `FDSTOREREMOVE=1\nFDNAME=${name}`, -1);
  }

  /** To be said again and again by who is well. Returns whether the supervisor is there. */
  alive(): boolean {
    return this.#addon.sendFd(this.#socket, 'WATCHDOG=1', -1);
  }

  /** Starts another supervisor in the place of one that is gone. It gets what that kept. Returns whether it is there. */
  startAnother(): boolean {
    if (this.#program === undefined) return false;
    const [ours, theirs] = this.#addon.socketPair(true);
    const [entry = '', ...args] = process.argv.slice(1);
    const server = [process.execPath, ...process.execArgv, entry, ...args];
    const who = ['--adopt', String(process.pid), '3', String(this.restarts)];
    const child = spawn(this.#program, [...who, ...server], {
      detached: true,
      stdio: ['inherit', 'inherit', 'inherit', theirs],
    });
    child.on('error', () => undefined);
    child.unref();
    closeSync(theirs);
    closeSync(this.#socket);
    this.#socket = ours;
    for (const [name, fd] of this.#kept) this.keep(name, fd);
    return this.alive();
  }
}

function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
