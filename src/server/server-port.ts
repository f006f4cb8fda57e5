import type { LeveledLogger } from '../base/logger.ts';
import type { MountConfig } from '../config/mount-config.ts';
import type { ResolvedOption } from '../config/resolve.ts';
import type { Identity } from '../host/mount-owner.ts';
import type { MountState } from '../host/mount-state.ts';
import type { DriverCheck, UnmountOptions } from '../mount/driver-check.ts';
import type { SupervisorLink } from '../takeover/supervisor-link.ts';

/** What commands need of the server, which is loaded only where it is needed: it brings the store's SDK along. */
export interface ServerPort {
  /** Mounts and serves until it is told to stop or somebody unmounts it. Rejects with a typed error. */
  serve(config: MountConfig, options: ServeOptions): Promise<Served>;
  /** Unmounts as this user can. Rejects with MountError, HostError, or with the errno of umount2(2) as `code`. */
  unmount(target: string, options: UnmountOptions): Promise<void>;
  /**
   * Takes away what a mount of that user has left beside it whose processes were killed, and which is unmounted. Resolves
   * to why something was left.
   */
  clearAfter(left: MountState, owner: Identity): Promise<string | undefined>;
  /** Which driver would be used, and why not the other. */
  checkDrivers(wanted: MountConfig['driver']): Promise<DriverCheck>;
  /** What a mount with this configuration would need of the store, tried one after another. Ends at what fails. */
  probeStore(config: MountConfig, options: { readonly signal: AbortSignal }): AsyncIterable<StoreFinding>;
}

export interface ServeOptions {
  readonly log: LeveledLogger;
  /** Every option with where its value came from, for who asks. */
  readonly resolved?: readonly ResolvedOption[] | undefined;
  readonly onProgress: (progress: Progress) => void;
  /**
   * The tree is mounted, and what is to be prefetched of it is local. `pid`: of the process that stays, where it may be another
   * than the one that was started.
   */
  readonly onReady: (pid?: number) => void;
  /** Calls back when the store is to be looked at now. */
  readonly onRefreshAsked: (callback: () => void) => void;
  /** Calls back when another server is to take the place of this one. */
  readonly onRestartAsked: (callback: () => void) => void;
  /** Where the process has a supervisor. */
  readonly supervisor?: SupervisorLink | undefined;
  /** Ends the mount. */
  readonly stop: AbortSignal;
}

export interface Served {
  readonly outcome: 'stopped' | 'unmounted-outside';
}

export interface Progress {
  readonly phase: 'listing' | 'prefetch' | 'ready';
  /** Of the tree; 0 until it is listed. */
  readonly totalFiles: number;
  readonly totalBytes: number;
  /** Of what is fetched before the mount is ready. */
  readonly pendingFiles: number;
  readonly pendingBytes: number;
  /** Objects that have not come for a while, or cannot be had. */
  readonly waitingFor?: { readonly files: number; readonly objects: readonly WaitedFor[] } | undefined;
}

export interface WaitedFor {
  /** Below the prefix. */
  readonly path: string;
  /** What the store answered. */
  readonly detail: string;
}

export interface StoreFinding {
  /** `credentials`, `list`, `get`, `etags`, `clock`. */
  readonly name: string;
  readonly outcome: 'good' | 'doubtful' | 'bad';
  /** What was found, without anything secret. */
  readonly detail: string;
  /** What went wrong, where the outcome is bad: a typed error. */
  readonly error?: unknown;
  /** What to do, where the outcome is doubtful. */
  readonly hint?: string;
}
