import { rmSync } from 'node:fs';
import * as z from 'zod/mini';
import { persistedFiles } from '../../base/persisted-files.ts';
import { replaceFile } from '../../base/replace-file.ts';
import { MOST_BYTES } from '../../host/held-directory.ts';
import { HostError } from '../../host/host-error.ts';
import { readOwnFile } from '../../host/own-file.ts';
import { FUSE_EXPORT_SUPPORT, type InitReply } from '../../wire/index.ts';
import type { Presentation } from '../messages.ts';

/**
 * Facts about a kernel connection that hold for its whole life. A successor needs them, because the kernel
 * sends INIT only once. The format number of the record also stands for the layout of the journal, which has
 * no field for a number.
 */
export interface ConnectionRecord {
  readonly init: InitReply;
  readonly presentation: Presentation;
}

/** The name of the record's file in the runtime directory of the mount. */
export const CONNECTION_FILE = persistedFiles.connection.name;
const FORMAT = 2;
/**
 * The format for a connection without file handles. It is the format of older versions of dagmount, so that
 * they can resume such a connection.
 */
const WITHOUT_HANDLES = 1;

const count = z.int().check(z.nonnegative());
const recordShape = z.looseObject({
  format: z.literal([FORMAT, WITHOUT_HANDLES]),
  init: z.looseObject({
    major: count,
    minor: count,
    maxReadahead: count,
    flags: z.string().check(z.regex(/^\d{1,20}$/)),
    maxBackground: count,
    congestionThreshold: count,
    maxWrite: count,
    timeGran: count,
    maxPages: count,
  }),
  presentation: z.looseObject({ uid: count, gid: count, umask: count }),
});

/** @param directory the existing runtime directory of the mount */
export function writeConnectionRecord(directory: string, record: ConnectionRecord): void {
  // A server of an older version, which does not support file handles, must not resume a connection with
  // them. It would use another inode generation than the kernel has, and break every open file.
  const format = (record.init.flags & FUSE_EXPORT_SUPPORT) === 0n ? WITHOUT_HANDLES : FORMAT;
  const init = { ...record.init, flags: String(record.init.flags) };
  replaceFile(pathOf(directory), `${JSON.stringify({ format, ...record, init })}\n`);
}

/**
 * Reads the record. Returns undefined if the predecessor died before it wrote the record; then INIT may be
 * unanswered. Returns 'unusable' if another version of dagmount wrote the record, or if it is invalid.
 */
export function readConnectionRecord(directory: string): ConnectionRecord | 'unusable' | undefined {
  try {
    const read = z.safeParse(recordShape, JSON.parse(readOwnFile(pathOf(directory), MOST_BYTES).toString()));
    if (!read.success) return 'unusable';
    const { init, presentation } = read.data;
    return { presentation, init: { ...init, flags: BigInt(init.flags) } as InitReply };
  } catch (error) {
    if (error instanceof SyntaxError) return 'unusable';
    if (!(error instanceof HostError)) throw error;
    return error.code === 'missing' ? undefined : 'unusable';
  }
}

export function removeConnectionRecord(directory: string): void {
  rmSync(pathOf(directory), { force: true });
}

function pathOf(directory: string): string {
  return `${directory}/${CONNECTION_FILE}`;
}
