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
  /** Whether colours may be used: the stream is a terminal, and NO_COLOR is not set. */
  readonly colours: boolean;
  /** The width of the terminal. */
  readonly columns: number;
  /** Aborts when the stream fails, for instance because its reader has closed it. */
  readonly lost: AbortSignal;
}

/** Everything outside a command that the command uses, so that tests can replace it. */
export interface Shell {
  /** Receives results. */
  readonly out: Output;
  /** Receives diagnostics. */
  readonly err: Output;
  readonly environment: HostEnvironment;
  /** The command that starts this program again: node, its flags, and the entry file. */
  readonly self: readonly [string, ...string[]];
  /** The channel to the command that started this daemon; undefined in a process that is not a daemon. */
  readonly daemon: DaemonChannel | undefined;
  /** The link to the supervisor; undefined in a process without a supervisor. */
  readonly supervisor?: SupervisorLink | undefined;
  /**
   * One sentence about a permanent change that the command has made; undefined before. The message of a later
   * failure ends with this sentence.
   */
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
   * Returns the states of this user's mounts and, if this user is root, those of the users in `others`. Calls
   * `onUnreadable` for states that cannot be read.
   */
  mountStates(
    others: readonly number[],
    onUnreadable?: (unreadable: UnreadableState) => void,
  ): readonly MountState[];
  isRunning(process: ProcessId): boolean;
  /** Sends SIGTERM to another user's process with that user's rights. No effect if the process has just ended. */
  end(process: ProcessId, owner: Identity): void;
  /**
   * Returns the address at which to connect to a daemon's socket. Pins the socket of another user, so that
   * the socket cannot be replaced before the caller connects. Throws HostError.
   */
  socketAddress(socket: string, owner: number | undefined): string;
  loadServer(): Promise<ServerPort>;
  /** Returns the path of the supervisor program; undefined if there is none. */
  supervisorProgram(): Promise<string | undefined>;
}

/** Runs a command with the arguments after its name. Resolves to its exit code; rejects with a typed error. */
export type RunCommand = (args: readonly string[], shell: Shell) => Promise<number>;
