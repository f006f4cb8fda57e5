import type { HostEnvironment } from '../config/host-environment.ts';
import type { Identity } from '../host/mount-owner.ts';
import type { MountState, UnreadableState } from '../host/mount-state.ts';
import type { Mount } from '../host/mountinfo.ts';
import type { ProcessId } from '../host/process.ts';
import type { ServerPort } from '../server/server-port.ts';
import type { SupervisorLink } from '../takeover/supervisor/supervisor-link.ts';
import type { DaemonChannel } from './daemon-channel.ts';

/** An output stream of a command. */
export interface Output {
  write(text: string): void;
  /** Overwrites the current line of a terminal. */
  rewrite(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours may be used: a terminal, and no NO_COLOR. */
  readonly colours: boolean;
  /** The width of the terminal. */
  readonly columns: number;
  /** Aborted when the reader has closed the stream. */
  readonly lost: AbortSignal;
}

/** Everything outside a command that it uses, so that tests can replace it. */
export interface Shell {
  /** Receives results. */
  readonly out: Output;
  /** Receives diagnostics. */
  readonly err: Output;
  readonly environment: HostEnvironment;
  /** The command that starts this program again: node, its flags, and the entry file. */
  readonly self: readonly [string, ...string[]];
  /** Set in a daemon process. */
  readonly daemon: DaemonChannel | undefined;
  /** Set in a process that has a supervisor. */
  readonly supervisor?: SupervisorLink | undefined;
  /** One sentence about what has taken effect for good. A failure from then on is reported with it. */
  readonly effect: string | undefined;
  tookEffect(sentence: string): void;
  /** Monotonic time in milliseconds. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
  /** Resolves early if the signal is aborted. */
  delay(milliseconds: number, signal?: AbortSignal): Promise<void>;
  readMounts(): readonly Mount[];
  /**
   * The states of this user's mounts; for root, also those of the named users. Calls `onUnreadable` for states that
   * cannot be read.
   */
  mountStates(
    others: readonly number[],
    onUnreadable?: (unreadable: UnreadableState) => void,
  ): readonly MountState[];
  isRunning(process: ProcessId): boolean;
  /** Sends SIGTERM to another user's process with that user's rights. No effect if the process has just ended. */
  end(process: ProcessId, owner: Identity): void;
  /**
   * The address of a daemon's socket. Another user's socket is pinned, so that it cannot be replaced before the
   * connection. Throws HostError.
   */
  socketAddress(socket: string, owner: number | undefined): string;
  loadServer(): Promise<ServerPort>;
  /** The path of the supervisor program; undefined if there is none. */
  supervisorProgram(): Promise<string | undefined>;
}

/** Runs a command with the arguments after its name. Resolves to its exit code; rejects with a typed error. */
export type RunCommand = (args: readonly string[], shell: Shell) => Promise<number>;
