import type { GenerationChanges } from '../tree/index.ts';
import type { Connection, MountRequest } from './connection.ts';
import type {
  FromSession,
  Moment,
  NotifyOutcome,
  ServedTree,
  SessionCounters,
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

/** The main thread's side. */
export interface Driver {
  readonly name: DriverName;
  /** How it mounts, for the log. */
  readonly method: string;
  readonly session: SessionHost;
  /** Mounts, or prepares that the session does; whichever it is, the session is to be started with it. Throws MountError. */
  connect(request: MountRequest): Connection;
  /** `lazy` detaches a busy mount: it leaves the tree at once, and ends when its last user does. Throws MountError. */
  unmount(target: string, lazy: boolean): void;
}

/** Where a session runs, and how messages reach it. */
export interface SessionHost {
  /** Where it is a process of its own. */
  readonly pid?: number | undefined;
  send(message: ToSession): void;
  onMessage(listener: (message: FromSession) => void): void;
  /** Once, when it is gone; undefined where it ended because it was told to. */
  onExit(listener: (reason: string | undefined) => void): void;
  /** Ends it, whatever it does; resolves when it is gone. */
  terminate(): Promise<void>;
}

/** The side that answers. */
export interface Session {
  /** The swap. Resolves once every lookup that starts afterwards sees the new tree. */
  publish(shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome>;
  /**
   * Lets go of a version that is not used, if the kernel holds nothing of it: then what is asked of it later is sought anew.
   * Resolves with whether it went.
   */
  dropVersion(id: string, changedAt: Moment): Promise<boolean>;
  counters(): SessionCounters;
  /** Lets go of the connection. */
  stop(): Promise<void>;
}
