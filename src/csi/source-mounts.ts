import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { MountRequest } from './volume.ts';
import { VolumeError } from './volume-error.ts';

/** A running `dagmount mount` for one request. */
export interface MountProcess {
  /** Resolves when a complete tree is shown. Rejects with VolumeError if the mount ends before that. */
  readonly ready: Promise<void>;
  /** What the mount waits for at the moment, as a sentence; undefined if nothing is known. */
  obstacle(): string | undefined;
  /** Resolves when the mount is gone, or has no process any more. */
  readonly ended: Promise<void>;
  /** Unmounts, which also ends the processes. */
  stop(): void;
  /** Ends the processes. If a holder keeps the mount, it stays in place for the next processes. */
  leave(): void;
}

export interface SourceMountsOptions {
  /** Starts a mount, or takes over the mount that an earlier driver left. */
  readonly start: (request: MountRequest) => MountProcess;
  /** Returns the mount point of a request. */
  readonly placeOf: (key: string) => string;
  readonly deadlineMs: number;
  readonly idleMs: number;
  /** Maximum number of mounts at a time: any author of a pod can request another one. */
  readonly mostMounts: number;
  readonly clock: Pick<Clock, 'sleep' | 'alarm'>;
  readonly log: Logger;
  /**
   * Called after a mount has ended. If volumes were using the mount, the call is delayed, and another mount
   * for the same request may have started by then.
   */
  readonly onEnded: (key: string) => void;
}

/**
 * The pause before a lost mount is started again, so that repeated failures take no time from other mounts.
 */
const PAUSE_MS = 5_000;
/** How long `leave` waits: less than the grace period that Kubernetes gives a pod. */
const LEAVE_MS = 10_000;

interface Running {
  readonly request: MountRequest;
  readonly process: MountProcess;
  /** The targets of the volumes that use the mount. */
  readonly users: Set<string>;
  /** Set while no volume uses the mount. It ends the wait after which the mount is stopped. */
  idle: AbortController | undefined;
  isStopping: boolean;
}

/**
 * Keeps one mount for all volumes with the same request. An unused mount stays for a while, for the next pod.
 */
export class SourceMounts {
  readonly #options: SourceMountsOptions;
  readonly #running = new Map<string, Running>();
  #isOver = false;

  constructor(options: SourceMountsOptions) {
    this.#options = options;
  }

  /** The sources of the mounts that have a process, by the keys of the mounts. */
  get sources(): ReadonlyMap<string, string> {
    return new Map([...this.#running].map(([key, { request }]) => [key, request.source]));
  }

  /**
   * Registers a volume (its target is the `user`) as a user of a mount, which it starts if there is none.
   * Resolves with the mount point when a complete tree is shown. The mount stays until `release`. Rejects
   * with VolumeError.
   */
  async acquire(request: MountRequest, user: string): Promise<string> {
    const { deadlineMs, placeOf } = this.#options;
    this.#requireRoom(request.key);
    const wasUser = this.#running.get(request.key)?.users.has(user) === true;
    const { process } = this.#use(request, user);
    try {
      await this.#within(deadlineMs, process, request.source);
    } catch (error) {
      // A volume that already has the mount keeps it, even if this call fails.
      if (!wasUser) this.release(request.key, user);
      throw error;
    }
    return placeOf(request.key);
  }

  /**
   * Starts the mount of a volume that already uses it, without waiting for the tree. The volume stays a user
   * of the mount if the mount fails.
   */
  resume(request: MountRequest, user: string): void {
    this.#use(request, user).process.ready.catch(() => undefined);
  }

  release(key: string, user: string): void {
    const running = this.#running.get(key);
    if (running === undefined || !running.users.delete(user) || running.users.size > 0) return;
    const idle = new AbortController();
    running.idle = idle;
    this.#options.clock.sleep(this.#options.idleMs, idle.signal).then(
      () => stop(running),
      () => undefined,
    );
    // Keeps the mounts in order: the one that is idle for the longest time comes first.
    if (this.#running.delete(key)) this.#running.set(key, running);
  }

  /**
   * Ends all processes, and leaves the mounts to the next driver. Resolves when that is done, or after
   * LEAVE_MS.
   */
  async leave(): Promise<void> {
    this.#isOver = true;
    const all = [...this.#running.values()];
    for (const { idle, process } of all) {
      idle?.abort();
      process.leave();
    }
    // Without a holder, the processes continue until the pod ends.
    await new Promise<void>((resolve) => {
      const dismiss = this.#options.clock.alarm(LEAVE_MS, resolve);
      void Promise.all(all.map(({ process }) => process.ended)).then(() => {
        dismiss();
        resolve();
      });
    });
  }

  /**
   * Makes room for a new mount: if there are too many, stops the mount that no volume has used for the
   * longest time. Throws VolumeError if volumes use all mounts.
   */
  #requireRoom(key: string): void {
    const { mostMounts } = this.#options;
    const active = [...this.#running.values()].filter(({ isStopping }) => !isStopping);
    if (this.#running.has(key) || active.length < mostMounts) return;
    const unused = active.find(({ users }) => users.size === 0);
    if (unused === undefined) {
      throw new VolumeError(
        'unavailable',
        `This node has ${mostMounts} mounts already, and the volume asks for another one.`,
        'Volumes with the same attributes share a mount; the operator of the cluster can raise the bound (mounts).',
      );
    }
    unused.idle?.abort();
    stop(unused);
  }

  #use(request: MountRequest, user: string): Running {
    const found = this.#running.get(request.key);
    // A mount that is being unmounted is not used again. The new mount starts when that one has ended.
    const running = found === undefined || found.isStopping ? this.#start(request, found) : found;
    running.idle?.abort();
    running.idle = undefined;
    running.users.add(user);
    return running;
  }

  #start(request: MountRequest, ending: Running | undefined): Running {
    const { start, log } = this.#options;
    const process = ending === undefined ? start(request) : after(ending.process.ended, () => start(request));
    const running: Running = { request, process, users: new Set(), idle: undefined, isStopping: false };
    this.#running.set(request.key, running);
    log.info(
      { event: 'volume-source-started', source: request.source, key: request.key },
      'a mount for volumes was started',
    );
    process.ended.then(() => this.#ended(running));
    return running;
  }

  #ended(running: Running): void {
    const { request, users, idle } = running;
    idle?.abort();
    // Another mount may have been started in place of this one.
    if (this.#running.get(request.key) === running) this.#running.delete(request.key);
    if (this.#isOver) return;
    const { source, key } = request;
    const { clock, log, onEnded } = this.#options;
    log.info(
      { event: 'volume-source-ended', source, key, volumes: users.size },
      'a mount for volumes has ended',
    );
    if (users.size === 0) onEnded(key);
    else
      clock.alarm(PAUSE_MS, () => {
        if (!this.#isOver) onEnded(key);
      });
  }

  async #within(ms: number, process: MountProcess, source: string): Promise<void> {
    const over = new AbortController();
    const late = this.#options.clock.sleep(ms, over.signal).then(() => {
      throw new VolumeError(
        'unavailable',
        `The tree of ${source} was not ready within ${Math.round(ms / 1000)} s. ${process.obstacle() ?? ''}`.trim(),
        'The fetch continues, and the next try of kubelet may find it ready. The log of the driver says more.',
      );
    });
    late.catch(() => undefined);
    try {
      await Promise.race([process.ready, late]);
    } finally {
      over.abort();
    }
  }
}

function stop(running: Running): void {
  running.isStopping = true;
  running.process.stop();
}

/** Returns a process that is started once another one has ended. */
function after(ended: Promise<void>, start: () => MountProcess): MountProcess {
  let process: MountProcess | undefined;
  const started = ended.then(() => {
    process = start();
    return process;
  });
  return {
    obstacle: () => process?.obstacle(),
    ready: started.then(({ ready }) => ready),
    ended: started.then((each) => each.ended).catch(() => undefined),
    stop: () => void started.then((each) => each.stop()).catch(() => undefined),
    leave: () => void started.then((each) => each.leave()).catch(() => undefined),
  };
}
