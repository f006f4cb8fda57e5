import type { LeveledLogger } from '../base/logger.ts';
import type { MountConfig, ShownTreeOptions } from '../config/mount-config.ts';
import type { ResolvedOption } from '../config/resolve.ts';
import type { Identity } from '../host/mount-owner.ts';
import type { MountState } from '../host/mount-state.ts';
import type { DriverCheck, UnmountOptions } from '../mount/driver-check.ts';
import type { SupervisorLink } from '../takeover/supervisor/supervisor-link.ts';

/** The server, as commands use it. It is loaded only when needed, because it imports the store's SDK. */
export interface ServerPort {
  /** Mounts and serves until the server is asked to stop or another process unmounts it. Rejects with a typed error. */
  serve(config: MountConfig, options: ServeOptions): Promise<Served>;
  /** Unmounts with the rights of this user. Rejects with MountError, HostError, or with the errno of umount2(2) as `code`. */
  unmount(target: string, options: UnmountOptions): Promise<void>;
  /**
   * Removes the files of an unmounted mount of `owner` whose processes were killed. If a file was not
   * removed, resolves to the reason.
   */
  clearAfter(left: MountState, owner: Identity): Promise<string | undefined>;
  /** Which driver would be chosen, and why the other was not. */
  checkDrivers(wanted: MountConfig['driver']): Promise<DriverCheck>;
  /** Tries one by one what a mount with this configuration needs from the store. Ends at the first failure. */
  probeStore(config: MountConfig, options: { readonly signal: AbortSignal }): AsyncIterable<StoreFinding>;
}

export interface ServeOptions {
  readonly log: LeveledLogger;
  /** Each option with the origin of its value, for the control socket. */
  readonly resolved?: readonly ResolvedOption[] | undefined;
  /** The same for the options that each of several trees has of its own. */
  readonly resolvedTrees?: readonly ShownTreeOptions[] | undefined;
  readonly onProgress: (progress: Progress) => void;
  /**
   * Called when the tree is mounted and prefetched. `pid`: the process that stays, if that may differ from the process
   * that was started.
   */
  readonly onReady: (pid?: number) => void;
  /** Registers a callback for a request to check the store now. */
  readonly onRefreshAsked: (callback: () => void) => void;
  /** Registers a callback for a request to replace this server. */
  readonly onRestartAsked: (callback: () => void) => void;
  /** Undefined if the process has no supervisor. */
  readonly supervisor?: SupervisorLink | undefined;
  /** Aborted to end the mount. */
  readonly stop: AbortSignal;
}

export interface Served {
  readonly outcome: 'stopped' | 'unmounted-outside';
}

export interface Progress {
  readonly phase: 'listing' | 'prefetch' | 'ready';
  /** Files of the tree; 0 until it is listed. */
  readonly totalFiles: number;
  readonly totalBytes: number;
  /** How many of the files that are fetched before the mount is ready are not local yet. */
  readonly pendingFiles: number;
  readonly pendingBytes: number;
  /** Objects that the trees wait for, because they are late or unreadable. */
  readonly waitingFor?: { readonly files: number; readonly objects: readonly WaitedFor[] } | undefined;
}

export interface WaitedFor {
  /** The path, relative to the prefix. */
  readonly path: string;
  /** The store's answer. */
  readonly detail: string;
}

export interface StoreFinding {
  /**
   * One of `proxy`, `credentials`, `list`, `get`, `ref`, `etags`, `clock`; `standby list` for a standby
   * source.
   */
  readonly name: string;
  readonly outcome: 'good' | 'doubtful' | 'bad';
  /** The finding, without secrets. */
  readonly detail: string;
  /** A typed error if the outcome is bad. */
  readonly error?: unknown;
  /** What to do if the outcome is doubtful. */
  readonly hint?: string;
}
