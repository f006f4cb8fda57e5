import { basename } from 'node:path';
import type { SupervisorClient } from './supervisor-client.ts';
import type { SupervisorLink } from './supervisor-link.ts';
import { says } from './supervisor-messages.ts';

export interface StandbyOptions {
  readonly client: Pick<SupervisorClient, 'send'> | undefined;
  readonly link: Pick<SupervisorLink, 'standsBy' | 'isStandby' | 'nice' | 'restarts'> | undefined;
  /** As host/process-priority.ts has it. */
  readonly raisePriority: (usual: number) => () => void;
  readonly rename: (title: string) => void;
  /** Milliseconds since the process began. */
  readonly now: () => number;
}

/** Waits until this server may take the place of the one beside which it was started, and goes ahead of others then. */
export class Standby {
  readonly #options: StandbyOptions;
  #go: (takesOver: boolean) => void = () => undefined;
  #turnAt = 0;
  #restorePriority: () => void = () => undefined;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  /** When it was told to take over; 0, when the process began, for a server that did not stand by. */
  get turnAt(): number {
    return this.#turnAt;
  }

  /**
   * Resolves at once for a server that was not started beside another one; otherwise when that is gone. `prepare` does what takes
   * long and can be done before; if it rejects, so does this, the server ends, and the other one stays. Resolves with
   * whether to serve at all: not if `stop` is aborted, or the supervisor is gone.
   */
  async turn(prepare: (isStandby: boolean) => Promise<unknown>, stop: AbortSignal): Promise<boolean> {
    const { client, link, raisePriority, rename, now } = this.#options;
    if (link === undefined || !link.standsBy) {
      if (link !== undefined && link.restarts > 0) this.#restorePriority = raisePriority(link.nice);
      return true;
    }
    const told = new Promise<boolean>((resolve) => {
      this.#go = resolve;
      if (stop.aborted) resolve(false);
      else stop.addEventListener('abort', () => resolve(false), { once: true });
    });
    await Promise.race([told, prepare(link.isStandby)]);
    client?.send(says.standsBy);
    const takesOver = await told;
    this.#turnAt = now();
    this.#restorePriority = raisePriority(link.nice);
    // A standby has another name among the processes until then.
    if (link.isStandby)
      rename([basename(process.execPath), ...process.execArgv, ...process.argv.slice(1)].join(' '));
    return takesOver;
  }

  go(): void {
    this.#go(true);
  }

  /** Its supervisor is gone: another server has the mount. */
  orphaned(): void {
    this.#go(false);
  }

  /** Readers wait for nothing that the processor does. */
  restorePriority(): void {
    this.#restorePriority();
  }
}
