import { lstatSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';

const CONNECT_MS = 2_000;

/**
 * Links a listening descriptor to its path. The descriptor alone does not tell the path, because the socket
 * was renamed after it was bound.
 */
export interface BoundSocket {
  readonly path: string;
  /** The device and inode of the file at the path. */
  readonly file: readonly [dev: number, ino: number];
  /** The inode of the descriptor's socket. */
  readonly socket: number;
}

/** Removes the file of a socket. Does nothing if the path has another file now. */
export function removeBound(at: Pick<BoundSocket, 'path' | 'file'>): void {
  if (isThere(at)) rmSync(at.path, { force: true });
}

/** Whether the file at the path is still the one that was bound. */
export function isThere({ path, file: [dev, ino] }: Pick<BoundSocket, 'path' | 'file'>): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false });
  return now?.dev === dev && now.ino === ino;
}

/**
 * Whether a process may listen at a socket. Only a refused connection or a missing file proves that no
 * process listens.
 */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(CONNECT_MS, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
