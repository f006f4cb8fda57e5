import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { HostError } from './host-error.ts';
import { hostErrorOf, READ_FLAGS } from './pinned.ts';

/** Whether a file belongs to the user of this process: nothing else is used of what outlives a process. */
export function isOwn({ uid }: { readonly uid: number | bigint }): boolean {
  const own = process.geteuid?.();
  return own === undefined || Number(uid) === own;
}

/** The content of a regular file of this process's user. Throws HostError, `missing` where there is none. */
export function readOwnFile(path: string, mostBytes: number): Buffer {
  try {
    const fd = openSync(path, READ_FLAGS);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new HostError('no-file', path, 'is not a regular file');
      if (!isOwn(stats))
        throw new HostError('other-owner', path, `belongs to another user (uid ${stats.uid})`);
      if (stats.size > mostBytes)
        throw new HostError('too-large', path, `holds more than ${mostBytes} bytes`);
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw hostErrorOf(error, path);
  }
}
