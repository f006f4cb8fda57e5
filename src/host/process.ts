import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import type { Identity } from './mount-owner.ts';

/** A process. The kernel reuses ids, so the start time and the uid tell which process is meant. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to its start (proc(5), /proc/PID/stat, field 22); undefined: not known. */
  readonly startTicks?: number | undefined;
  /** The user whose process it has to be; undefined: anybody's. */
  readonly uid?: number | undefined;
}

/** As pid_max(5) bounds it: 0 and what is negative stand for groups of processes. */
const HIGHEST_PID = 2 ** 22;
/** Of the fields of /proc/PID/stat behind the state, the index of starttime. */
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
  // Of a process of this user the kernel hides nothing (proc(5), hidepid): it is another one's.
  if (stat === 'hidden')
    return uid !== undefined && uid === process.geteuid?.() ? answersTo(pid) === 'ours' : true;
  if (stat.state === 'Z' || stat.state === 'X') return false;
  if (startTicks !== undefined && stat.startTicks !== startTicks) return false;
  return uid === undefined || (uidOf(pid) ?? uid) === uid;
}

/** Whether a process was stopped by a signal, or by what traces it. */
export function isStopped(pid: number): boolean {
  const stat = statOf(pid);
  return typeof stat === 'object' && /^[tT]$/.test(stat.state);
}

/** This process, as another one can tell it from those that get its id later. */
export function ownProcess(): ProcessId {
  return processOf(process.pid);
}

/** A process that runs now. */
export function processOf(pid: number): ProcessId {
  const stat = statOf(pid);
  return { pid, ...(typeof stat === 'object' && { startTicks: stat.startTicks }) };
}

/**
 * Sends a signal to a process that is known by its start, if it runs still; otherwise to none. `owner`: the user for whom
 * that is done, who may not be this one: then the kernel decides whether that user may.
 *
 * Returns whether it was sent.
 */
export function signalProcess(id: ProcessId, signal: 'SIGTERM' | 'SIGKILL', owner?: Identity): boolean {
  // Without its start another process could have its id.
  if (id.startTicks === undefined || !isRunning(id)) return false;
  if (owner !== undefined && owner.uid !== process.geteuid?.()) return signalAs(owner, id.pid, signal);
  try {
    return process.kill(id.pid, signal);
  } catch (error) {
    // It ended in this moment, or is not this user's.
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** kill(2) goes by the real user of a process, too, which Node.js cannot take back: so a shell of that user does it. */
function signalAs(owner: Identity, pid: number, signal: NodeJS.Signals): boolean {
  return runAs(owner, 'kill -s "$1" "$2"', [signal.slice(3), String(pid)]);
}

/** Runs a line of the shell with the rights of a user, who may stop that shell, but not keep this process waiting. */
export function runAs(
  { uid, gid }: Identity,
  line: string,
  args: readonly string[],
  timeout = COMMAND_MS,
): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', line, 'sh', ...args], {
    uid,
    gid,
    cwd: '/',
    env: {},
    stdio: 'ignore',
    timeout,
    // SIGTERM waits for as long as a process is stopped.
    killSignal: 'SIGKILL',
  });
  return status === 0;
}

/** `gone` only where the kernel says that there is no such process: one that is hidden from this user may well be. */
function statOf(pid: number): { readonly state: string; readonly startTicks: number } | 'gone' | 'hidden' {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ESRCH') return 'gone';
    return error.code === 'ENOENT' && answersTo(pid) === 'gone' ? 'gone' : 'hidden';
  }
  // The command's name before it is in parentheses and may hold anything.
  const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, startTicks: Number(rest[STARTTIME]) };
}

/** The real user of a process; undefined where that is not told. */
function uidOf(pid: number): number | undefined {
  try {
    const uid = /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return uid === undefined ? undefined : Number(uid);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** What signal 0 says, also of a process that /proc hides. */
export function answersTo(pid: number): 'ours' | 'of-others' | 'gone' {
  try {
    process.kill(pid, 0);
    return 'ours';
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'ESRCH' ? 'gone' : 'of-others';
  }
}
