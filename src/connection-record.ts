import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mountRuntimeDirectory } from './config/runtime-paths.ts';
import type { Presentation } from './session/messages.ts';
import type { InitReply } from './wire/index.ts';

/** What holds for the life of a connection with the kernel: the kernel has it by heart, and sends INIT once. */
export interface ConnectionRecord {
  readonly init: InitReply;
  readonly presentation: Presentation;
}

const FILE = 'connection.json';

/** In the runtime directory of the mount, which is there. */
export function writeConnectionRecord(directory: string, mountId: string, record: ConnectionRecord): void {
  const path = pathOf(directory, mountId);
  const init = { ...record.init, flags: String(record.init.flags) };
  writeFileSync(`${path}.next`, `${JSON.stringify({ ...record, init })}\n`, { mode: 0o600 });
  renameSync(`${path}.next`, path);
}

/** Undefined where the predecessor did not come to write it: then INIT may not have been answered. */
export function readConnectionRecord(directory: string, mountId: string): ConnectionRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(pathOf(directory, mountId), 'utf8'));
    return { ...record, init: { ...record.init, flags: BigInt(record.init.flags) } };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeConnectionRecord(directory: string, mountId: string): void {
  rmSync(pathOf(directory, mountId), { force: true });
}

function pathOf(directory: string, mountId: string): string {
  return `${mountRuntimeDirectory(directory, mountId)}/${FILE}`;
}
