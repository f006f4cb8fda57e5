import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { persistedFiles } from '../base/persisted-files.ts';
import { systemCode } from '../base/system-error.ts';
import { ConfigError } from '../config/config-error.ts';
import type { HostEnvironment } from '../config/host-environment.ts';
import { unsafeAncestor } from './safe-directory.ts';

const ROOT_DIRECTORY = process.platform === 'darwin' ? '/var/run/dagmount' : '/run/dagmount';
const DIRECTORY_MODE = 0o700;
/**
 * Other users may traverse root's directory: a socket in it may belong to a group. Secret entries have their own modes.
 */
const ROOT_DIRECTORY_MODE = 0o711;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The variable that names another runtime directory, for hosts where the default one is not writable (/run in
 * a container with a read-only root).
 */
export const RUNTIME_VARIABLE = 'DAGMOUNT_RUNTIME_DIR';

/**
 * Returns the directory for files of all mounts of this user that outlive a process, but not a reboot. It is
 * not an option of `mount`, because every command must find it. Throws ConfigError `bad-value`.
 */
export function runtimeDirectory({ uid, env }: Pick<HostEnvironment, 'uid' | 'env'>): string {
  const named = env[RUNTIME_VARIABLE] ?? '';
  if (isAbsolute(named)) return named.replace(/(?<=.)\/+$/, '');
  if (named !== '') {
    throw new ConfigError(
      'bad-value',
      `${RUNTIME_VARIABLE} cannot be ${JSON.stringify(named)}.`,
      'Allowed: an absolute path, since each command looks there from wherever it is started.',
    );
  }
  if (uid === 0) return ROOT_DIRECTORY;
  const given = env.XDG_RUNTIME_DIR ?? '';
  return isAbsolute(given) ? `${given}/dagmount` : `/tmp/dagmount-${uid}`;
}

/** Where one mount keeps its state. */
export function mountRuntimeDirectory(directory: string, mountId: string): string {
  return `${directory}/${mountId}`;
}

/** The default path of a mount's control socket. */
export function mountSocket(directory: string, mountId: string): string {
  return `${directory}/${mountId}${persistedFiles.socket.name}`;
}

/** The log file of a background mount. */
export function mountLogFile(directory: string, mountId: string): string {
  return `${directory}/${mountId}${persistedFiles.log.name}`;
}

/** Possible runtime directories of another user, for root, which sees the mounts of all users. */
export function runtimeDirectoriesOf(uid: number): readonly string[] {
  return uid === 0 ? [ROOT_DIRECTORY] : [`/run/user/${uid}/dagmount`, `/tmp/dagmount-${uid}`];
}

/**
 * Creates the directory if it is missing, accessible only to its owner. Any user may have created it in /tmp
 * before, so a directory that is not exclusively this user's is rejected. Throws ConfigError `runtime-unsafe`
 * or `runtime-unwritable`.
 */
export function prepareRuntimeDirectory(directory: string, uid: number): void {
  try {
    requireSafePlace(directory, uid);
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    requireSafePlace(directory, uid);
    requireOwn(directory, uid);
    if (uid === 0) chmodSync(directory, ROOT_DIRECTORY_MODE);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = systemCode(error) ?? error;
    throw new ConfigError(
      'runtime-unwritable',
      `The runtime directory ${directory} cannot be made (${reason}).`,
      runtimeHint('Make the directory above it writable', uid),
      error,
    );
  }
}

function requireSafePlace(directory: string, uid: number): void {
  const unsafe = unsafeAncestor(directory, { uid });
  if (unsafe === undefined) return;
  const { path, reason, flaw } = unsafe;
  throw new ConfigError(
    'runtime-unsafe',
    `The runtime directory ${directory} could be replaced by others: ${path} ${reason}.`,
    flaw === 'mode'
      ? runtimeHint(`Take that right away (chmod go-w ${path}, or chmod +t ${path})`, uid)
      : runtimeHint('Own every directory on the way to it', uid),
  );
}

/** Returns the hint for an unusable runtime directory: do `first`, or name another directory. */
export function runtimeHint(first: string, uid: number): string {
  const other = `let ${RUNTIME_VARIABLE} name a directory of your own, for this and every other dagmount command`;
  return uid === 0
    ? `${first} (in a container: docker run --tmpfs /run), or ${other}.`
    : `${first}, let XDG_RUNTIME_DIR name a directory of your own, or ${other}.`;
}

function requireOwn(directory: string, uid: number): void {
  const stats = lstatSync(directory);
  const reason = !stats.isDirectory()
    ? 'is no directory'
    : stats.uid !== uid
      ? `belongs to another user (uid ${stats.uid})`
      : (stats.mode & WRITABLE_BY_OTHERS) !== 0
        ? 'can be written by others'
        : undefined;
  if (reason === undefined) return;
  throw new ConfigError(
    'runtime-unsafe',
    `The runtime directory ${directory} ${reason}.`,
    runtimeHint('Remove it', uid),
  );
}
