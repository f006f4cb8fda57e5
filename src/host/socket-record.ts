import { rmSync } from 'node:fs';
import * as z from 'zod/mini';
import { persistedFiles } from '../base/persisted-files.ts';
import { replaceFile } from '../base/replace-file.ts';
import { type BoundSocket, removeBound } from './bound-socket.ts';
import { MOST_BYTES } from './held-directory.ts';
import { HostError } from './host-error.ts';
import { readOwnFile } from './own-file.ts';

/**
 * The name of the file that records where a server listens, for its successor. The inherited descriptor does
 * not tell its path, and the successor's settings may name another path.
 */
export const SOCKET_RECORD_FILE = persistedFiles.socketRecord.name;

const recordShape = z.object({
  path: z.string(),
  file: z.tuple([z.number(), z.number()]),
  socket: z.number(),
});

/** @param directory the existing runtime directory of the mount */
export function writeSocketRecord(directory: string, at: BoundSocket): void {
  replaceFile(pathOf(directory), `${JSON.stringify(at)}\n`);
}

/** Reads the record. Returns undefined if there is none, or if this version of dagmount cannot read it. */
export function readSocketRecord(directory: string): BoundSocket | undefined {
  try {
    return z.parse(recordShape, JSON.parse(readOwnFile(pathOf(directory), MOST_BYTES).toString()));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.core.$ZodError) return undefined;
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

export function removeSocketRecord(directory: string): void {
  rmSync(pathOf(directory), { force: true });
}

/** Removes the socket of a dead server, and the record of the socket. */
export function removeRecordedSocket(directory: string): void {
  const at = readSocketRecord(directory);
  if (at !== undefined) removeBound(at);
  removeSocketRecord(directory);
}

function pathOf(directory: string): string {
  return `${directory}/${SOCKET_RECORD_FILE}`;
}
