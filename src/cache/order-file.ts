import { open, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { persistedFiles } from '../base/persisted-files.ts';
import { isSystemError } from '../base/system-error.ts';
import { Yielder } from '../base/yielder.ts';
import { isOwn } from '../host/own-file.ts';
import { READ_FLAGS } from '../host/pinned.ts';
import { isRank, type Rank } from './blob.ts';
import type { RankedBlobs } from './blob-index.ts';

/** A blob's entry in the order file. */
export interface OrderedBlob {
  /** The blob's position in the order. The blob with the lowest position is evicted next. */
  readonly place: number;
  readonly rank: Rank;
  readonly bytes: number;
  readonly fileBytes: number;
}

const HEADER = 'dagmount order 1';
const BATCH = 2_000;
const FILE_MODE = 0o600;

export function orderPath(directory: string): string {
  return `${directory}/${persistedFiles.order.name}`;
}

/**
 * Writes the order of eviction atomically, one line per blob. Calls no fsync: the checksum detects a torn
 * file, and the next start then orders the blobs by mtime. Rejects with the system's error.
 */
export async function writeOrder(directory: string, order: readonly RankedBlobs[]): Promise<void> {
  const path = orderPath(directory);
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, 'w', FILE_MODE);
  try {
    let checksum = 0;
    let lines = [HEADER];
    const flush = async (): Promise<void> => {
      const batch = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
      lines = [];
      checksum = crc32(batch, checksum);
      await handle.writeFile(batch);
    };
    for (const { rank, blobs } of order) {
      for (const { key, bytes, fileBytes } of blobs) {
        lines.push(`${rank} ${key} ${bytes} ${fileBytes}`);
        if (lines.length === BATCH) await flush();
      }
    }
    if (lines.length > 0) await flush();
    await handle.writeFile(`end ${checksum}\n`);
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

/**
 * Reads the order file. `order` has the blobs by key; it is empty if the file is missing or damaged.
 * `damaged` is true only if there is a file, and it cannot be used.
 */
export async function readOrder(
  directory: string,
): Promise<{ readonly order: ReadonlyMap<string, OrderedBlob>; readonly damaged: boolean }> {
  const order = new Map<string, OrderedBlob>();
  let file: Buffer;
  try {
    const handle = await open(orderPath(directory), READ_FLAGS);
    try {
      const stats = await handle.stat();
      if (!stats.isFile() || !isOwn(stats)) return { order, damaged: true };
      file = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { order, damaged: error.code !== 'ENOENT' };
  }
  const end = file.lastIndexOf('end ');
  const body = file.subarray(0, Math.max(0, end));
  if (end < 0 || file.toString('latin1', end) !== `end ${crc32(body)}\n`) return { order, damaged: true };
  const yielder = new Yielder({ sliceMs: 2, callsPerLook: 8 });
  let start = body.indexOf('\n') + 1;
  if (body.toString('latin1', 0, start - 1) !== HEADER) return { order, damaged: true };
  while (start < body.length) {
    const stop = body.indexOf('\n', start);
    const [rank = '', key = '', bytes, fileBytes] = body.toString('latin1', start, stop).split(' ');
    const sizes = { bytes: Number(bytes), fileBytes: Number(fileBytes) };
    const isSized = Object.values(sizes).every((size) => Number.isSafeInteger(size) && size >= 0);
    if (!isRank(rank) || !isSized || stop < 0) return { order: new Map(), damaged: true };
    order.set(key, { place: order.size, rank, ...sizes });
    start = stop + 1;
    if (yielder.due()) await yielder.turn();
  }
  return { order, damaged: false };
}
