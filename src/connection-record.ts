import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Presentation } from './session/messages.ts';
import { FUSE_EXPORT_SUPPORT, type InitReply } from './wire/index.ts';

/**
 * What holds for the life of a connection with the kernel: the kernel has it by heart, and sends INIT once. The number of
 * its format stands for the layout of the journal, too, which has no place for one of its own.
 */
export interface ConnectionRecord {
  readonly init: InitReply;
  readonly presentation: Presentation;
}

const FILE = 'connection.json';
const FORMAT = 2;
/** Of a connection without file handles. Written as before, so that an older version can go on with it. */
const WITHOUT_HANDLES = 1;

/** @param directory the runtime directory of the mount, which is there */
export function writeConnectionRecord(directory: string, record: ConnectionRecord): void {
  const path = pathOf(directory);
  // A server that knows no handles would answer another inode generation than the kernel has, and break every open file.
  const format = (record.init.flags & FUSE_EXPORT_SUPPORT) === 0n ? WITHOUT_HANDLES : FORMAT;
  const init = { ...record.init, flags: String(record.init.flags) };
  writeFileSync(`${path}.next`, `${JSON.stringify({ format, ...record, init })}\n`, { mode: 0o600 });
  renameSync(`${path}.next`, path);
}

/**
 * Undefined where the predecessor did not come to write it: then INIT may not have been answered. 'unusable' where
 * another version wrote it.
 */
export function readConnectionRecord(directory: string): ConnectionRecord | 'unusable' | undefined {
  try {
    const { format, ...record } = JSON.parse(readFileSync(pathOf(directory), 'utf8'));
    if (format !== FORMAT && format !== WITHOUT_HANDLES) return 'unusable';
    return { ...record, init: { ...record.init, flags: BigInt(record.init.flags) } };
  } catch (error) {
    if (error instanceof SyntaxError) return 'unusable';
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeConnectionRecord(directory: string): void {
  rmSync(pathOf(directory), { force: true });
}

function pathOf(directory: string): string {
  return `${directory}/${FILE}`;
}
