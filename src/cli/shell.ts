import type { HostEnvironment } from '../config/host-environment.ts';
import type { Identity } from '../host/mount-owner.ts';
import type { MountState, UnreadableState } from '../host/mount-state.ts';
import type { Mount } from '../host/mountinfo.ts';
import type { ProcessId } from '../host/process.ts';
import type { ServerPort } from '../server/server-port.ts';
import type { SupervisorLink } from '../takeover/supervisor-link.ts';
import type { DaemonChannel } from './daemon-channel.ts';

/** One of the streams that a command writes to. */
export interface Output {
  write(text: string): void;
  /** Writes over the line that is there, which a terminal goes back to the beginning of. */
  rewrite(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours may be used: a terminal, and no NO_COLOR. */
  readonly colours: boolean;
  /** Of the terminal. */
  readonly columns: number;
  /** Aborted where nobody reads it any more. */
  readonly lost: AbortSignal;
}

/** Everything outside of itself that a command uses, so that each can be run by a test. */
export interface Shell {
  /** Results. */
  readonly out: Output;
  /** Diagnostics. */
  readonly err: Output;
  readonly environment: HostEnvironment;
  /** What starts this program again: node, its flags, the entry. */
  readonly self: readonly [string, ...string[]];
  /** Set in a daemon's own process. */
  readonly daemon: DaemonChannel | undefined;
  /** Set in a process that has a supervisor. */
  readonly supervisor?: SupervisorLink | undefined;
  /** Milliseconds, from some beginning on, never backwards. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
  /** Resolves early where the signal is aborted. */
  delay(milliseconds: number, signal?: AbortSignal): Promise<void>;
  readMounts(): readonly Mount[];
  /** Of the mounts of this user; for root also of the users that are named. `onUnreadable` is told what cannot be read. */
  mountStates(
    others: readonly number[],
    onUnreadable?: (unreadable: UnreadableState) => void,
  ): readonly MountState[];
  isRunning(process: ProcessId): boolean;
  /** Sends SIGTERM to a process of that user, with that user's rights; nothing where it has just gone. */
  end(process: ProcessId, owner: Identity): void;
  /** Where a socket is asked that this user knows by the state of a mount: another user's is held. Throws HostError. */
  socketAddress(socket: string, owner: number | undefined): string;
  loadServer(): Promise<ServerPort>;
  /** The file of the program that looks after a server; undefined where there is none. */
  supervisorProgram(): Promise<string | undefined>;
}

/** A command: its arguments without its name. Resolves to its exit code; rejects with a typed error. */
export type RunCommand = (args: readonly string[], shell: Shell) => Promise<number>;
