import { accessSync, closeSync, constants, lstatSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { platform, release } from 'node:os';
import { hasUserEntry } from '../../base/user-entry.ts';
import { type UnsafeDirectory, unsafeAncestor } from '../../host/safe-directory.ts';

/**
 * The queries that the checks make about this host. Those that begin with `try` return the name of an errno
 * if they fail.
 */
export interface Host {
  readonly platform: string;
  readonly kernelRelease: string;
  readonly nodeVersion: string;
  /** Whether the uid of this process has a passwd entry. */
  hasUserEntry(): boolean;
  /** Returns the text of the file, or undefined if the file cannot be read. */
  readText(path: string): string | undefined;
  /** Opens the file for reading and writing. Returns undefined if that succeeds. */
  tryOpen(path: string): string | undefined;
  tryAccess(path: string, how: 'write' | 'execute'): string | undefined;
  /** Returns undefined if the path does not exist. */
  ownerAndMode(
    path: string,
  ): { readonly uid: number; readonly mode: number; readonly isDirectory: boolean } | undefined;
  /**
   * Returns a directory above `path` in which other users could replace the next part of the path; undefined
   * if no directory is unsafe.
   */
  unsafeAncestor(path: string): UnsafeDirectory | undefined;
  /** Returns the free bytes that this user may use in the filesystem of `path`. */
  freeBytes(path: string): number;
}

export const thisHost: Host = {
  platform: platform(),
  kernelRelease: release(),
  nodeVersion: process.versions.node,
  hasUserEntry: () => hasUserEntry(),
  readText: (path) => {
    let text: string | undefined;
    attempt(() => {
      text = readFileSync(path, 'utf8');
    });
    return text;
  },
  tryOpen: (path) => attempt(() => closeSync(openSync(path, 'r+'))),
  tryAccess: (path, how) =>
    attempt(() => accessSync(path, how === 'write' ? constants.W_OK | constants.X_OK : constants.X_OK)),
  ownerAndMode: (path) => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats && { uid: stats.uid, mode: stats.mode & 0o7777, isDirectory: stats.isDirectory() };
  },
  unsafeAncestor: (path) => unsafeAncestor(path, { uid: process.geteuid?.() ?? 0 }),
  freeBytes: (path) => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
};

/** Returns the errno's name if the action fails, otherwise undefined. */
function attempt(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}
