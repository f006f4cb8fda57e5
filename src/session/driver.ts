import type { GenerationChanges } from '../tree/index.ts';
import type { Connection, MountRequest } from './connection.ts';
import type {
  FromSession,
  Moment,
  NotifyOutcome,
  ServedTree,
  SessionCounters,
  ShownSince,
  ToSession,
} from './messages.ts';

/**
 * The names of the two drivers, which show trees to the kernel. Everything else is the same for both drivers:
 * tree, cache, sync, socket, commands.
 *
 *     kernel        speaks the FUSE protocol itself, on a worker thread; src/session/kernel
 *     fuse-native   lets libfuse 2 speak it, in a separate process; src/session/fuse-native
 *
 * The main thread has a Driver; the worker thread or the process has a Session. They exchange the messages of
 * messages.ts. docs/semantics.md lists the promises that fuse-native keeps only in part. The same tests run
 * against both drivers.
 */
export type DriverName = 'kernel' | 'fuse-native';

/** The main thread's part of a driver. */
export interface Driver {
  readonly name: DriverName;
  /** The method of mounting, for the log. */
  readonly method: string;
  readonly session: SessionHost;
  /**
   * Mounts (driver kernel), or prepares a mount that the session makes (driver fuse-native). In both cases,
   * start the session with the result. Throws MountError.
   */
  connect(request: MountRequest): Connection;
  /**
   * Unmounts the target. With `lazy`, detaches a busy mount: the mount leaves the directory tree immediately,
   * and ends when the last process stops using it. Throws MountError.
   */
  unmount(target: string, lazy: boolean): void;
}

/** The thread or process in which a session runs, and the channel for the session's messages. */
export interface SessionHost {
  /** The pid, if the session has its own process. */
  readonly pid?: number | undefined;
  send(message: ToSession): void;
  onMessage(listener: (message: FromSession) => void): void;
  /**
   * The listener is called once, when the session has ended. The reason is undefined if the session was told
   * to end.
   */
  onExit(listener: (reason: string | undefined) => void): void;
  /**
   * Ends the session even if it hangs. Resolves when the session has ended; if a notification is stuck in the
   * kernel, resolves after 500 ms at the latest.
   */
  terminate(): Promise<void>;
}

/** The part of a driver that answers the kernel's requests. */
export interface Session {
  /** Shows a tree that was not shown so far. */
  show(tree: number, shown: ShownSince): NotifyOutcome;
  /**
   * Shows the next generation of a tree. Resolves once every lookup that starts afterwards sees this
   * generation.
   */
  publish(tree: number, shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome>;
  /**
   * Drops an unused version (a tree below `versions/`) if the kernel holds no node of it. A later lookup asks
   * the source for the version again. Resolves with whether the version is no longer loaded.
   */
  dropVersion(id: string, changedAt: Moment): Promise<boolean>;
  counters(): SessionCounters;
  /** Closes the connection. */
  stop(): Promise<void>;
}
