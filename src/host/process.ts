import { readFileSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import type { Identity } from './mount-owner.ts';

/** A process. The kernel reuses process ids, so start time and uid identify it. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to its start (proc(5), /proc/PID/stat, field 22); undefined if unknown. */
  readonly startTicks?: number | undefined;
  /** The user that must own the process; undefined: any user. */
  readonly uid?: number | undefined;
}

/** The highest possible pid (pid_max in proc(5)). To kill(2), 0 and negative numbers mean process groups. */
const HIGHEST_PID = 2 ** 22;
/** Index of starttime in the fields of /proc/PID/stat after the state. */
const STARTTIME = 18;
const COMMAND_MS = 5_000;

export function isPid(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= HIGHEST_PID;
}

/** Whether a process exists and is not a zombie. */
export function isRunning({ pid, startTicks, uid }: ProcessId): boolean {
  if (!isPid(pid)) return false;
  const stat = process.platform === 'linux' ? statOf(pid) : 'hidden';
  if (stat === 'gone') return false;
  // The kernel never hides a process of this user (proc(5), hidepid): a hidden one belongs to another user.
  if (stat === 'hidden')
    return uid !== undefined && uid === process.geteuid?.() ? answersTo(pid) === 'ours' : true;
  if (stat.state === 'Z' || stat.state === 'X') return false;
  if (startTicks !== undefined && stat.startTicks !== startTicks) return false;
  return uid === undefined || (uidOf(pid) ?? uid) === uid;
}

/** Whether a process is stopped by a signal or a tracer. */
export function isStopped(pid: number): boolean {
  const stat = statOf(pid);
  return typeof stat === 'object' && /^[tT]$/.test(stat.state);
}

/** This process, with the data that distinguish it from later processes with the same id. */
export function ownProcess(): ProcessId {
  return processOf(process.pid);
}

/** The currently running process with this id. */
export function processOf(pid: number): ProcessId {
  const stat = statOf(pid);
  return { pid, ...(typeof stat === 'object' && { startTicks: stat.startTicks }) };
}

/**
 * Sends a signal to a process identified by its start time, if it still runs. `owner` is the user that
 * requests the signal. If that is not the user of this process, the kernel checks the permission of `owner`.
 *
 * Returns whether the signal was sent.
 */
export function signalProcess(id: ProcessId, signal: 'SIGTERM' | 'SIGKILL', owner?: Identity): boolean {
  // Without a start time, another process could have this id.
  if (id.startTicks === undefined || !isRunning(id)) return false;
  if (owner !== undefined && owner.uid !== process.geteuid?.()) return signalAs(owner, id.pid, signal);
  try {
    return process.kill(id.pid, signal);
  } catch (error) {
    // The process has just ended, or belongs to another user.
    if (isSystemError(error)) return false;
    throw error;
  }
}

/**
 * Sends a signal with the permission of another user. kill(2) also checks the real user of the sender, which
 * Node.js cannot restore, so a shell of that user sends the signal.
 */
function signalAs(owner: Identity, pid: number, signal: NodeJS.Signals): boolean {
  return runAs(owner, 'kill -s "$1" "$2"', [signal.slice(3), String(pid)]);
}

/**
 * Runs a shell command with the rights of a user, and returns whether it succeeded. That user may stop the
 * shell, but cannot block this process.
 */
export function runAs(
  { uid, gid }: Identity,
  line: string,
  args: readonly string[],
  timeout = COMMAND_MS,
): boolean {
  // This module is not imported: no other call of a command needs it, and it takes some milliseconds to load.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status } = spawnSync('/bin/sh', ['-c', line, 'sh', ...args], {
    uid,
    gid,
    cwd: '/',
    env: {},
    stdio: 'ignore',
    timeout,
    // SIGTERM is delayed while a process is stopped.
    killSignal: 'SIGKILL',
  });
  return status === 0;
}

/**
 * Reads the state of a process. Returns `gone` only if the kernel says that there is no such process, and
 * `hidden` if the state cannot be read otherwise: a process that is hidden from this user may exist.
 */
function statOf(pid: number): { readonly state: string; readonly startTicks: number } | 'gone' | 'hidden' {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ESRCH') return 'gone';
    return error.code === 'ENOENT' && answersTo(pid) === 'gone' ? 'gone' : 'hidden';
  }
  // The command's name before it is in parentheses and may contain any character.
  const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, startTicks: Number(rest[STARTTIME]) };
}

/** The real user of a process; undefined if unavailable. */
function uidOf(pid: number): number | undefined {
  try {
    const uid = /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return uid === undefined ? undefined : Number(uid);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** Returns the result of signal 0, which also reaches processes that /proc hides. */
export function answersTo(pid: number): 'ours' | 'of-others' | 'gone' {
  try {
    process.kill(pid, 0);
    return 'ours';
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'ESRCH' ? 'gone' : 'of-others';
  }
}
