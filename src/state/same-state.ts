import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { READ_FLAGS } from '../host/pinned.ts';
import { coldStartPaths } from './cold-start-file.ts';
import { takeoverPaths } from './takeover-file.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Whether the state for a cold start equals the one for a successor: both are written from one image. */
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
