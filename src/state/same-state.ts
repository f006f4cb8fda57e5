import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { READ_FLAGS } from '../host/pinned.ts';
import { coldStartPaths } from './cold-start-file.ts';
import { HEAD_BYTES } from './state-header.ts';
import { takeoverPaths } from './takeover-file.ts';

const CHUNK_BYTES = 1024 * 1024;

/*
 * Both functions compare the same pair of files, the state in the cache directory and the state in the
 * runtime directory, which are written from one image. isHeadInCache() compares only the heads, which have a
 * SHA-256 of the rest: with a wrong answer, a server writes a file again, or reports a state as kept that the
 * next publication replaces. isKeptInCache() compares every byte: with a wrong answer, the caller removes the
 * only copy.
 */

/** Whether the state file in the cache directory has this head. */
export async function isHeadInCache(head: Uint8Array, cacheDirectory: string): Promise<boolean> {
  try {
    const handle = await open(coldStartPaths(cacheDirectory).current, READ_FLAGS);
    try {
      if (!isOwn(await handle.stat())) return false;
      const found = Buffer.alloc(HEAD_BYTES);
      await handle.read(found, 0, HEAD_BYTES, 0);
      return found.equals(head);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** Whether the state in the cache directory equals the one in the runtime directory, which then can go. */
export function isKeptInCache(runtimeDirectory: string, cacheDirectory: string): boolean {
  return isSame(takeoverPaths(runtimeDirectory).current, coldStartPaths(cacheDirectory).current);
}

function isSame(one: string, other: string): boolean {
  const open: number[] = [];
  try {
    for (const path of [one, other]) open.push(openSync(path, READ_FLAGS));
    return hasSameBytes(open as [number, number]);
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

function hasSameBytes([one, other]: readonly [number, number]): boolean {
  const stats = [fstatSync(one), fstatSync(other)] as const;
  if (!stats.every((each) => each.isFile() && isOwn(each))) return false;
  const [{ size }] = stats;
  if (stats[1].size !== size) return false;
  const [a, b] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
  for (let at = 0; at < size; ) {
    const length = readSync(one, a, 0, CHUNK_BYTES, at);
    if (length === 0 || !isReadAs(other, b, a.subarray(0, length), at)) return false;
    at += length;
  }
  return true;
}

function isReadAs(fd: number, buffer: Buffer, expected: Buffer, at: number): boolean {
  let got = 0;
  while (got < expected.length) {
    const length = readSync(fd, buffer, got, expected.length - got, at + got);
    if (length === 0) return false;
    got += length;
  }
  return buffer.subarray(0, got).equals(expected);
}
