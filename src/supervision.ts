import { closeSync } from 'node:fs';
import type { SupervisorLink } from './cli/server-port.ts';
import type { Addon } from './session/kernel/addon.ts';

/** What a process keeps over the lives of its servers. */
export type KeptName =
  /** The device of the mount. While it is kept, a server that dies has a successor. */
  | 'fuse'
  /** Holds the lock of the cache directory. */
  | 'lock'
  /** Listens at the control socket. */
  | 'control';

/** The server's end of its supervisor, which is native/supervisor/supervisor.c: what it says is what that reads. */
export class Supervision {
  /** Times that a server was started again. */
  readonly restarts: number;
  /** Why the one before ended. */
  readonly reason: string;
  readonly #socket: number;
  readonly #inherited: Map<string, number>;
  readonly #addon: Pick<Addon, 'sendFd'>;

  constructor({ socket, restarts, reason, kept }: SupervisorLink, addon: Pick<Addon, 'sendFd'>) {
    this.#socket = socket;
    this.restarts = restarts;
    this.reason = reason;
    this.#inherited = new Map(kept);
    this.#addon = addon;
  }

  /** What a predecessor had kept, to be closed by the caller; the supervisor goes on keeping it. */
  inherit(name: KeptName): number | undefined {
    const fd = this.#inherited.get(name);
    this.#inherited.delete(name);
    return fd;
  }

  /** The descriptor stays the caller's. Returns whether the supervisor is there. */
  keep(name: KeptName, fd: number): boolean {
    return this.#addon.sendFd(this.#socket, `FDSTORE=1\nFDNAME=${name}`, fd);
  }

  drop(name: KeptName): void {
    const fd = this.inherit(name);
    if (fd !== undefined) closeSync(fd);
    this.#addon.sendFd(this.#socket, `FDSTOREREMOVE=1\nFDNAME=${name}`, -1);
  }

  /** To be said again and again by who is well. Returns whether the supervisor is there. */
  alive(): boolean {
    return this.#addon.sendFd(this.#socket, 'WATCHDOG=1', -1);
  }
}
