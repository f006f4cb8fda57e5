import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Rank } from './blob.ts';
import { TEMPORARY_PREFIX, unlinkBlob } from './blob-file.ts';
import { blobsPath, isShard, keyOfFile, pathOfKey, shardPath } from './blob-path.ts';
import { Breath } from './breath.ts';
import { type OrderedBlob, readOrder } from './order-file.ts';
import { isSystemError } from './system-error.ts';
import { contentBytes, SHORTEST_TRAILER_BYTES } from './trailer.ts';

export interface RecoveredBlob {
  readonly key: string;
  readonly bytes: number;
  readonly fileBytes: number;
  /** When the order was last written; hidden where it was not in it. */
  readonly rank: Rank;
}

export interface Recovered {
  /** In the order of eviction. Their content is not verified. */
  readonly blobs: readonly RecoveredBlob[];
  readonly shards: ReadonlySet<string>;
  /** Removed: files that a killed process did not finish. */
  readonly temporaries: number;
  /** Removed: what has a blob's name and is none. */
  readonly corrupt: number;
  /** Left alone: what nobody of ours put there. */
  readonly foreign: readonly string[];
  readonly damagedOrder: boolean;
}

interface Found extends RecoveredBlob {
  readonly place: number;
}

/**
 * Finds the blobs that an earlier process left. Reads no content: sizes are compared with what the order file says,
 * or with the blob's own trailer where it is not in it.
 *
 * 100,000 blobs of 4 KiB, on ext4, one core: see test/cache/recovery.test.ts for what is asserted; measured figures
 * stand at `recover` in content-cache.ts.
 */
export async function recover(directory: string): Promise<Recovered> {
  const { order, damaged } = await readOrder(directory);
  const found: Found[] = [];
  const shards = new Set<string>();
  const foreign: string[] = [];
  let temporaries = 0;
  let corrupt = 0;
  const breath = new Breath();
  for (const entry of await readdir(blobsPath(directory), { withFileTypes: true })) {
    const shard = entry.name;
    if (!isShard(shard) || !entry.isDirectory()) {
      foreign.push(shard);
      continue;
    }
    shards.add(shard);
    for (const file of await readdir(shardPath(directory, shard))) {
      if (breath.due()) await breath.take();
      const path = `${shardPath(directory, shard)}/${file}`;
      if (file.startsWith(TEMPORARY_PREFIX)) {
        unlinkBlob(path);
        temporaries += 1;
        continue;
      }
      const key = keyOfFile(shard, file);
      if (key === undefined) {
        foreign.push(`${shard}/${file}`);
        continue;
      }
      const blob = look(directory, key, order.get(key));
      if (blob !== undefined) found.push(blob);
      else {
        unlinkBlob(path);
        corrupt += 1;
      }
    }
  }
  found.sort((one, other) => one.place - other.place);
  return { blobs: found, shards, temporaries, corrupt, foreign, damagedOrder: damaged };
}

/** Undefined for what is no blob. */
function look(directory: string, key: string, ordered: OrderedBlob | undefined): Found | undefined {
  const path = pathOfKey(directory, key);
  try {
    const stats = lstatSync(path);
    if (!stats.isFile()) return undefined;
    const fileBytes = stats.size;
    if (ordered?.fileBytes === fileBytes) {
      const { place, rank, bytes } = ordered;
      return { key, bytes, fileBytes, rank, place };
    }
    const bytes = readContentBytes(path, stats);
    if (bytes === undefined) return undefined;
    // Before all places of the order file, and by age among themselves.
    return { key, bytes, fileBytes, rank: 'hidden', place: stats.mtimeMs - Number.MAX_SAFE_INTEGER };
  } catch (error) {
    // EIO and the like: what cannot be looked at cannot be used.
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function readContentBytes(path: string, { size }: Stats): number | undefined {
  if (size < SHORTEST_TRAILER_BYTES) return undefined;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const end = Buffer.alloc(SHORTEST_TRAILER_BYTES);
    const read = readSync(fd, end, 0, end.length, size - end.length);
    return read === end.length && fstatSync(fd).size === size ? contentBytes(end, size) : undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * What has to go so that the rest fits a limit that became smaller: in the order of eviction, except that of what
 * was shown the largest go first, so that as many files as possible stay.
 */
export function surplus(blobs: readonly RecoveredBlob[], limitBytes: number): readonly RecoveredBlob[] {
  let over = blobs.reduce((sum, { bytes }) => sum + bytes, 0) - limitBytes;
  if (over <= 0) return [];
  const kept = blobs.filter(({ rank }) => rank === 'kept').sort((one, other) => other.bytes - one.bytes);
  const gone: RecoveredBlob[] = [];
  for (const blob of [...blobs.filter(({ rank }) => rank !== 'kept'), ...kept]) {
    if (over <= 0) break;
    gone.push(blob);
    over -= blob.bytes;
  }
  return gone;
}
