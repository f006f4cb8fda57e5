import { closeSync, fstatSync, statSync } from 'node:fs';
import type { DescriptorStore } from './descriptor-store.ts';

/** Like Addon.lockFile, but the lock outlives the server: its successor inherits it. */
export function keepLock(store: DescriptorStore, path: string, lockFile: (path: string) => number): number {
  const inherited = store.inherit('lock');
  if (inherited !== undefined && isFileAt(inherited, path)) return inherited;
  // The settings name another cache directory than those of the previous server.
  if (inherited !== undefined) {
    store.drop('lock');
    closeSync(inherited);
  }
  const fd = lockFile(path);
  if (fd >= 0) store.keep('lock', fd);
  return fd;
}

function isFileAt(fd: number, path: string): boolean {
  const [open, there] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return there?.ino === open.ino && there.dev === open.dev;
}
