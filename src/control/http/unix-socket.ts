import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { systemCode } from '../../base/system-error.ts';
import { type BoundSocket, isAnswered, isThere, removeBound } from '../../host/bound-socket.ts';
import { unsafeAncestor } from '../../host/safe-directory.ts';
import { ControlError } from '../control-error.ts';
import { descriptorOf } from '../descriptor.ts';

/** A predecessor's listening socket. */
export interface InheritedSocket {
  readonly fd: number;
  /** Discards the socket: closes the descriptor, and removes it from the place where it is kept. */
  readonly leave: () => void;
}

export interface SocketPlace {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** The group of the socket; undefined for that of the process. */
  readonly gid: number | undefined;
  /** The user of this process. */
  readonly uid: number;
  /**
   * Where a predecessor listened, whether or not the socket was inherited. If that path is not this one, its
   * file is removed.
   */
  readonly former?: BoundSocket | undefined;
  /**
   * The listening socket of a predecessor. If it listens at this path, the server uses it, and closes it at
   * its own end; otherwise it is discarded.
   */
  readonly inherited?: InheritedSocket | undefined;
  /** Receives the listening descriptor and its place, unless the descriptor was inherited. */
  readonly onListening?: ((fd: number, at: BoundSocket) => void) | undefined;
}

/** sun_path of unix(7) has 108 bytes, with the NUL at its end. */
export const MAX_PATH_BYTES = 107;

/**
 * Makes the server listen at a path. The socket is created in a directory that only this user may enter, gets
 * its mode and group there, and is then renamed to its path, so that no client can connect earlier. The
 * rename also replaces the socket of a dead daemon. Rejects with ControlError.
 *
 * @returns a function that removes the socket's file if that file is still the one of this server
 */
export async function listenAt(server: Server, place: SocketPlace): Promise<() => void> {
  const { path } = place;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new ControlError(
      'socket-too-long',
      `The path of the control socket has more than ${MAX_PATH_BYTES} bytes: ${path}`,
      'Name a shorter one with --socket.',
    );
  }
  const { inherited, former } = place;
  const isFormer = inherited !== undefined && former?.socket === fstatSync(inherited.fd).ino;
  if (isFormer && former.path === path && isThere(former)) {
    await listen(server, { fd: inherited.fd });
    return () => removeBound(former);
  }
  inherited?.leave();
  requireSafeDirectory(dirname(path), place.uid);
  await requireFree(path, place.uid);
  const made = await make(server, place);
  if (former !== undefined && former.path !== path) await removeFormer(former, isFormer);
  const fd = descriptorOf(server);
  const file = [made.dev, made.ino] as const;
  if (fd !== undefined) place.onListening?.(fd, { path, file, socket: fstatSync(fd).ino });
  return () => removeBound({ path, file });
}

/**
 * Removes the socket's file at the former path, so that clients fail there immediately. `isOurs` says that
 * the listener there was that of this mount; if it was not, the file is removed only if no process answers.
 */
async function removeFormer(former: BoundSocket, isOurs: boolean): Promise<void> {
  if (isThere(former) && (isOurs || !(await isAnswered(former.path)))) removeBound(former);
}

/**
 * Describes the socket at a path, for a descriptor that is known to listen there. Returns undefined if the
 * path has no socket.
 */
export function boundAt(path: string, fd: number): BoundSocket | undefined {
  const stats = statOf(path);
  return stats?.isSocket() === true
    ? { path, file: [stats.dev, stats.ino], socket: fstatSync(fd).ino }
    : undefined;
}

async function make(server: Server, { path, mode, gid, uid }: SocketPlace): Promise<Stats> {
  let directory: string | undefined;
  let fd: number | undefined;
  try {
    directory = mkdtempSync(join(dirname(path), '.dagmount-'));
    fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    // Listens by a path through the directory's descriptor, because the directory's own path may be too long
    // for a socket.
    await listen(server, { path: `/proc/self/fd/${fd}/s` });
    const socket = join(directory, 's');
    if (gid !== undefined) chownSync(socket, uid, gid);
    chmodSync(socket, mode);
    renameSync(socket, path);
    return lstatSync(path);
  } catch (error) {
    server.close();
    throw new ControlError(
      'socket-unusable',
      `The control socket ${path} cannot be made (${systemCode(error) ?? String(error)}).`,
      'Name another path with --socket, in a directory that this user may write to; a group must be one of yours.',
      error,
    );
  } finally {
    if (fd !== undefined) closeSync(fd);
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function listen(server: Server, at: { readonly path: string } | { readonly fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Refuses a directory in which another user could replace the socket. */
function requireSafeDirectory(directory: string, uid: number): void {
  const stats = statOf(directory);
  const hint = 'Name a path in a directory of your own with --socket.';
  if (stats === undefined) {
    throw new ControlError(
      'socket-unusable',
      `There is no directory ${directory} for the control socket.`,
      hint,
    );
  }
  // requireFree() checks the path itself.
  const unsafe = unsafeAncestor(join(directory, '.dagmount'), { uid });
  if (unsafe === undefined) return;
  throw new ControlError(
    'socket-unsafe',
    `The control socket cannot be in ${directory}: ${unsafe.path} ${unsafe.reason}.`,
    hint,
  );
}

async function requireFree(path: string, uid: number): Promise<void> {
  const stats = statOf(path);
  if (stats === undefined) return;
  const hint = 'Name another path with --socket.';
  if (!stats.isSocket()) {
    throw new ControlError('socket-unsafe', `${path} is there already, and is no socket.`, hint);
  }
  if (stats.uid !== uid) {
    throw new ControlError('socket-unsafe', `${path} belongs to another user (uid ${stats.uid}).`, hint);
  }
  if (await isAnswered(path)) {
    throw new ControlError(
      'socket-in-use',
      `Another process listens at ${path}.`,
      `End it first, or: ${hint}`,
    );
  }
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
