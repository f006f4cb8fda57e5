import { isAbsolute, join } from 'node:path';
import { persistedFiles } from '../base/persisted-files.ts';
import { HeldDirectory } from './held-directory.ts';
import { HostError } from './host-error.ts';
import { ownerOf } from './mount-owner.ts';
import type { Mount } from './mountinfo.ts';
import { isPid, isRunning, type ProcessId } from './process.ts';
import { mountRuntimeDirectory } from './runtime-paths.ts';

/** The description of a running mount for other processes, in `<runtime directory>/<mount id>/state.json`. */
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
  /** The step whose release the mount shows; undefined if it shows a prefix. */
  readonly release?: ShownStep | undefined;
  readonly driver?: string | undefined;
  /** The process that answers the kernel, if it is a separate one. */
  readonly session?: ProcessId | undefined;
  /** The cache directory of this mount; undefined if an older version of dagmount wrote the state. */
  readonly cacheDirectory?: string | undefined;
  /** The directory that has the state file. The file does not contain this field. */
  readonly directory?: string | undefined;
  /** The process that starts another server when this one dies; undefined if there is none. */
  readonly supervisor?: ProcessId | undefined;
}

/** The step of an environment that a mount shows. */
export interface ShownStep {
  /** The environment. */
  readonly ref: string;
  readonly seq: number;
  /** The id of the release. */
  readonly id: string;
}

/** Name of the state file, in the mount's runtime directory. */
export const STATE_FILE = persistedFiles.mountState.name;

/** A state file or runtime directory that cannot be read or trusted. */
export interface UnreadableState {
  readonly path: string;
  /** What is wrong; in a message it follows the path. */
  readonly reason: string;
}

/** Bound on the mounts of one user; further names are ignored. */
const MOST_MOUNTS = 1_024;
/** Excludes sockets and logs in the same directory, whose names have a dot. */
const MOUNT_ID = /^[\w-]+$/;

/**
 * Reads the states of all mounts in a runtime directory, which may be another user's. Reads only regular
 * files of `owner`, so that no FIFO, device or link can block or mislead the reader. Calls `onUnreadable` for
 * each rejected state.
 */
export function readMountStates(
  directory: string,
  owner: number,
  onUnreadable: (unreadable: UnreadableState) => void = () => undefined,
): readonly MountState[] {
  return attempt(onUnreadable, [], () => {
    const all = HeldDirectory.open(directory, owner);
    try {
      const found = all.names(MOST_MOUNTS);
      if (!found.all) onUnreadable({ path: directory, reason: `holds more than ${MOST_MOUNTS} entries` });
      return found.names
        .filter((name) => MOUNT_ID.test(name))
        .flatMap((id) => attempt(onUnreadable, [], () => readMountState(all, directory, id, owner)));
    } finally {
      all.close();
    }
  });
}

function readMountState(
  all: HeldDirectory,
  directory: string,
  id: string,
  owner: number,
): readonly MountState[] {
  const own = all.directory(id);
  try {
    const path = join(directory, id, STATE_FILE);
    return [stateOf(parse(own.read(STATE_FILE), path), path, owner, mountRuntimeDirectory(directory, id))];
  } finally {
    own.close();
  }
}

/**
 * Runs `read`. Reports a HostError, and returns `otherwise`. Does not report a missing file, because a mount
 * has no state while it begins or ends.
 */
function attempt<T>(onUnreadable: (unreadable: UnreadableState) => void, otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code !== 'missing') onUnreadable(error);
    return otherwise;
  }
}

function parse(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw new HostError('unreadable', path, 'is not JSON');
    throw error;
  }
}

/**
 * Checks a parsed state. Copies only known fields, because another user may have written the state. For
 * example, the processes must belong to that user.
 */
function stateOf(value: unknown, path: string, owner: number, directory: string): MountState {
  if (!isMountState(value))
    throw new HostError('unreadable', path, 'does not say what a mount says of itself');
  const { source, target, ready, startedAt, socket, release, driver } = value;
  const { cacheDirectory, supervisor, session } = value;
  const processOfOwner = ({ pid, startTicks }: ProcessId): ProcessId => ({
    pid,
    ...(startTicks !== undefined && { startTicks }),
    uid: owner,
  });
  return {
    ...processOfOwner(value),
    source,
    target,
    ready,
    startedAt,
    socket,
    directory,
    ...(release !== undefined && { release: { ref: release.ref, seq: release.seq, id: release.id } }),
    ...(driver !== undefined && { driver }),
    ...(cacheDirectory !== undefined && { cacheDirectory }),
    ...(supervisor !== undefined && { supervisor: processOfOwner(supervisor) }),
    ...(session !== undefined && { session: processOfOwner(session) }),
  };
}

/**
 * Whether the kernel confirms that the writer of a state made the mount. A state of another user proves nothing by
 * itself.
 */
export function isStateOf(
  { uid, target }: Pick<MountState, 'uid' | 'target'>,
  mount: Pick<Mount, 'mountPoint' | 'superOptions'>,
): boolean {
  return target === mount.mountPoint && (uid === undefined || uid === ownerOf(mount));
}

/** Whether a server serves the mount, or a supervisor will start one. */
export function isServed(
  { pid, startTicks, uid, supervisor }: MountState,
  isThere: (process: ProcessId) => boolean,
): boolean {
  return isThere({ pid, startTicks, uid }) || (supervisor !== undefined && isThere(supervisor));
}

/**
 * Whether a mount's server has died although the mount still answers: the process of fuse-native continues
 * for a while, so that readers do not see an empty directory before the next server is ready. `next` is the
 * pid of the caller's own supervisor. It does not count as serving the mount, because the caller may replace
 * the mount.
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

function isMountState(value: unknown): value is MountState {
  const state = (value ?? {}) as Record<string, unknown>;
  const { supervisor, session, source, target, ready, startedAt, socket, release } = state;
  const { driver, cacheDirectory } = state;
  return (
    isProcessId(value) &&
    [supervisor, session].every((each) => each === undefined || isProcessId(each)) &&
    [source, target, startedAt].every((each) => typeof each === 'string') &&
    typeof ready === 'boolean' &&
    (socket === null || isPath(socket)) &&
    (release === undefined || isShownStep(release)) &&
    [driver, cacheDirectory].every((each) => each === undefined || typeof each === 'string')
  );
}

function isShownStep(value: unknown): value is ShownStep {
  const { ref, seq, id } = (value ?? {}) as Record<string, unknown>;
  return typeof ref === 'string' && typeof id === 'string' && Number.isSafeInteger(seq);
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && isAbsolute(value) && !value.includes('\0');
}

function isProcessId(value: unknown): value is ProcessId {
  const { pid, startTicks } = (value ?? {}) as Record<string, unknown>;
  return isPid(pid) && (startTicks === undefined || Number.isSafeInteger(startTicks));
}
