import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mountRuntimeDirectory } from './runtime-paths.ts';

/** A process: ids are given again, and to whom is told by when it began. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to its start (proc(5), /proc/PID/stat, field 22); undefined: not known. */
  readonly startTicks?: number | undefined;
}

/** What a running mount says of itself to other processes: `<runtime directory>/<mount id>/state.json`. */
export interface MountState extends ProcessId {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** Absolute path, as /proc/self/mountinfo shows it. */
  readonly target: string;
  readonly ready: boolean;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Path of the control socket. */
  readonly socket: string | null;
  readonly driver?: string | undefined;
  /** What answers the kernel, where that is another process. */
  readonly session?: ProcessId | undefined;
  /** Of this mount; undefined where an older version wrote it. */
  readonly cacheDirectory?: string | undefined;
  /** This mount's own, where this was found; not written. */
  readonly directory?: string | undefined;
  /** What starts the process again when it dies; undefined where nothing does. */
  readonly supervisor?: ProcessId | undefined;
}

const FILE = 'state.json';

/**
 * Replaces the state as a whole: whoever reads sees the old or the new. `directory` is the runtime directory of all
 * mounts, prepared before.
 */
export function writeMountState(directory: string, mountId: string, state: MountState): void {
  const own = mountRuntimeDirectory(directory, mountId);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const temporary = join(own, `${FILE}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(temporary, join(own, FILE));
}

/** Takes the state away, and the directory of the mount where nothing else is in it. */
export function removeMountState(directory: string, mountId: string): void {
  const own = mountRuntimeDirectory(directory, mountId);
  rmSync(join(own, FILE), { force: true });
  try {
    rmdirSync(own);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

/** The states of all mounts in a runtime directory. What cannot be read, or was not written by its owner, is left out. */
export function readMountStates(directory: string, owner: number): readonly MountState[] {
  return attempt(() => (lstatSync(directory).uid === owner ? readdirSync(directory) : []), []).flatMap(
    (id) => {
      const state = attempt(
        () => JSON.parse(readFileSync(join(directory, id, FILE), 'utf8')) as unknown,
        undefined,
      );
      return isMountState(state) ? [{ ...state, directory: mountRuntimeDirectory(directory, id) }] : [];
    },
  );
}

/** Whether a process is there, and is more than what is left for its parent to collect. */
export function isRunning({ pid, startTicks }: ProcessId): boolean {
  if (process.platform !== 'linux') return answersTo(pid);
  const [state, ...rest] = statOf(pid);
  if (state === undefined || state === 'Z' || state === 'X') return false;
  return startTicks === undefined || Number(rest[STARTTIME]) === startTicks;
}

/** Whether a process was stopped by a signal, or by who traces it. */
export function isStopped(pid: number): boolean {
  return /^[tT]$/.test(statOf(pid)[0] ?? '');
}

/** Whether a process serves the mount, or another one is about to. */
export function isServed(
  { pid, startTicks, supervisor }: MountState,
  isThere: (process: ProcessId) => boolean,
): boolean {
  return isThere({ pid, startTicks }) || (supervisor !== undefined && isThere(supervisor));
}

/**
 * Whether a mount was left by a server that is gone, and is answered all the same: the process of fuse-native goes on
 * for a while, so that nobody sees an empty directory before the next server is there. `next`: the supervisor of the
 * one that asks, whose turn it is.
 */
export function isLeft(
  states: readonly MountState[],
  { source, target }: Pick<MountState, 'source' | 'target'>,
  next: number,
): boolean {
  return states.some(
    (state) =>
      state.target === target &&
      state.source === source &&
      state.driver === 'fuse-native' &&
      !isServed(state, (process) => process.pid !== next && isRunning(process)),
  );
}

/** This process, as another one can tell it from those that get its id later. */
export function ownProcess(): ProcessId {
  return processOf(process.pid);
}

/** A process that runs now. */
export function processOf(pid: number): ProcessId {
  const ticks = Number(statOf(pid)[1 + STARTTIME]);
  return { pid, ...(Number.isSafeInteger(ticks) && { startTicks: ticks }) };
}

/** Where there is no /proc. */
function answersTo(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Of the fields of /proc/PID/stat behind the state, the index of starttime. */
const STARTTIME = 18;

/** The fields from the state on; none where there is no such process. */
function statOf(pid: number): readonly string[] {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), undefined);
  // The command's name before it is in parentheses and may hold anything.
  return stat === undefined ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function isMountState(value: unknown): value is MountState {
  const { supervisor, session, source, target, ready, startedAt, socket, cacheDirectory } = (value ??
    {}) as Record<string, unknown>;
  return (
    isProcessId(value) &&
    [supervisor, session].every((each) => each === undefined || isProcessId(each)) &&
    [source, target, startedAt].every((each) => typeof each === 'string') &&
    typeof ready === 'boolean' &&
    (socket === null || typeof socket === 'string') &&
    (cacheDirectory === undefined || typeof cacheDirectory === 'string')
  );
}

function isProcessId(value: unknown): value is ProcessId {
  const { pid, startTicks } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(pid) && (startTicks === undefined || Number.isSafeInteger(startTicks));
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return otherwise;
    throw error;
  }
}
