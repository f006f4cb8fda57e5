import { basename } from 'node:path';
import type { SupervisorClient } from './supervisor/supervisor-client.ts';
import type { SupervisorLink } from './supervisor/supervisor-link.ts';
import { says } from './supervisor/supervisor-messages.ts';

export interface StandbyOptions {
  readonly client: Pick<SupervisorClient, 'send'> | undefined;
  readonly link: Pick<SupervisorLink, 'standsBy' | 'isStandby' | 'nice' | 'restarts'> | undefined;
  /** See host/process-priority.ts. */
  readonly raisePriority: (usual: number) => () => void;
  readonly rename: (title: string) => void;
  /** Milliseconds since the process started. */
  readonly now: () => number;
}

/** Waits until this server may replace the one beside which it was started, then raises its own priority. */
export class StandbyServer {
  readonly #options: StandbyOptions;
  #go: (takesOver: boolean) => void = () => undefined;
  #turnAt = 0;
  #restorePriority: () => void = () => undefined;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  /**
   * When this server was ordered to take over, in milliseconds since its process started; 0 for a server that
   * did not stand by.
   */
  get turnAt(): number {
    return this.#turnAt;
  }

  /**
   * Resolves when this server's turn has come: immediately if it was not started beside another server,
   * otherwise when the other server is gone. Meanwhile `prepare` does the slow work. If `prepare` rejects, so
   * does this: then this server ends, and the other one stays. Resolves to whether to serve: false if `over`
   * is aborted, or if the supervisor is gone.
   */
  async turn(prepare: (isStandby: boolean) => Promise<unknown>, over: AbortSignal): Promise<boolean> {
    const { client, link, raisePriority, rename, now } = this.#options;
    if (link === undefined || !link.standsBy) {
      if (link !== undefined && link.restarts > 0) this.#restorePriority = raisePriority(link.nice);
      return true;
    }
    const told = new Promise<boolean>((resolve) => {
      this.#go = resolve;
      if (over.aborted) resolve(false);
      else over.addEventListener('abort', () => resolve(false), { once: true });
    });
    const early = await Promise.race([told, prepare(link.isStandby).then(() => undefined)]);
    // A server that is to end must not say that it is ready: the supervisor would end the serving one for it.
    if (early === false) return false;
    client?.send(says.standsBy);
    const takesOver = await told;
    this.#turnAt = now();
    this.#restorePriority = raisePriority(link.nice);
    // Until here, the list of processes showed a standby under another name.
    if (link.isStandby)
      rename([basename(process.execPath), ...process.execArgv, ...process.argv.slice(1)].join(' '));
    return takesOver;
  }

  go(): void {
    this.#go(true);
  }

  /**
   * Must be called when the supervisor is gone. Then another server has the mount, and this one must not
   * serve.
   */
  orphaned(): void {
    this.#go(false);
  }

  /** Must be called when no reader waits for the processor any more. */
  restorePriority(): void {
    this.#restorePriority();
  }
}
