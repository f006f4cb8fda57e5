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
 * There are two ways to show trees to a kernel. Everything above is the same for both: tree, cache, sync, socket, commands.
 *
 *     kernel        speaks the FUSE protocol itself, on a worker thread; src/session/kernel
 *     fuse-native   has libfuse 2 speak it, in a process of its own; src/session/fuse-native
 *
 * The main thread has a Driver; the thread or process has a Session; between them go the messages of messages.ts.
 * docs/semantics.md lists which promises fuse-native keeps in part only. The same tests run against both.
 */
export type DriverName = 'kernel' | 'fuse-native';

/** The main thread's part of a driver. */
export interface Driver {
  readonly name: DriverName;
  /** The method of mounting, for the log. */
  readonly method: string;
  readonly session: SessionHost;
  /** Mounts, or prepares the session to mount. Start the session with the result in both cases. Throws MountError. */
  connect(request: MountRequest): Connection;
  /**
   * `lazy` detaches a busy mount: it disappears from the tree immediately, and ends when its last user does. Throws
   * MountError.
   */
  unmount(target: string, lazy: boolean): void;
}

/** Where a session runs, and how messages reach it. */
export interface SessionHost {
  /** The pid, if the session has its own process. */
  readonly pid?: number | undefined;
  send(message: ToSession): void;
  onMessage(listener: (message: FromSession) => void): void;
  /** Called once, when the session has ended; the reason is undefined if it was told to end. */
  onExit(listener: (reason: string | undefined) => void): void;
  /** Ends the session even if it hangs; resolves when it has ended. */
  terminate(): Promise<void>;
}

/** The part of a driver that answers requests. */
export interface Session {
  /** Shows a tree that was not shown so far. */
  show(tree: number, shown: ShownSince): NotifyOutcome;
  /** Swaps a tree. Resolves once every lookup that starts afterwards sees the new tree. */
  publish(tree: number, shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome>;
  /**
   * Drops an unused version if the kernel holds nothing of it; a later lookup asks the source for it again.
   * Resolves with whether it was dropped.
   */
  dropVersion(id: string, changedAt: Moment): Promise<boolean>;
  counters(): SessionCounters;
  /** Closes the connection. */
  stop(): Promise<void>;
}
