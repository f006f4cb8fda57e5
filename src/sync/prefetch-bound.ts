import type { Yielder } from '../base/yielder.ts';
import type { Generation } from '../tree/index.ts';
import { type ContentState, MARK } from './content-state.ts';
import type { Bound } from './ports.ts';

export interface PrefetchLimits {
  /**
   * The size of the largest file that is fetched before it is published, in bytes; 0: none, Infinity: all.
   */
  readonly prefetchBytes: number;
  /** Bytes of content that the cache may hold. */
  readonly cacheBytes: number;
}

export interface PrefetchBound {
  /** The largest file to fetch, bytes. */
  readonly bytes: number;
  /** The cache size that would hold all files up to `prefetchBytes`. */
  readonly neededBytes: number;
  readonly fits: boolean;
}

/** The number of size classes for choosing which files fit. */
const STEPS = 4096;

/**
 * Returns the largest size for which all files up to that size fit into the cache. If not all files fit, the
 * smallest files are kept.
 */
export async function boundOf(
  generation: Generation,
  { prefetchBytes, cacheBytes }: PrefetchLimits,
  yielder: Yielder,
): Promise<PrefetchBound> {
  let neededBytes = 0;
  let largest = 0;
  for (let index = 0; index < generation.entries; index++) {
    const size = generation.size(index);
    if (size <= prefetchBytes && !generation.isArchived(index)) {
      neededBytes += size;
      if (size > largest) largest = size;
    }
    if (yielder.due()) await yielder.turn();
  }
  if (neededBytes <= cacheBytes) return { bytes: prefetchBytes, neededBytes, fits: true };
  const step = Math.ceil((largest + 1) / STEPS);
  const bytesOfStep = new Float64Array(STEPS);
  for (let index = 0; index < generation.entries; index++) {
    const size = generation.size(index);
    if (size <= prefetchBytes && !generation.isArchived(index)) bytesOfStep[Math.floor(size / step)]! += size;
    if (yielder.due()) await yielder.turn();
  }
  let kept = 0;
  let fitting = 0;
  while (fitting < STEPS && kept + bytesOfStep[fitting]! <= cacheBytes) {
    kept += bytesOfStep[fitting]!;
    fitting += 1;
  }
  return { bytes: Math.max(0, fitting * step - 1), neededBytes, fits: false };
}

/**
 * Whether an entry is a file with content that can be fetched. An empty file has no content, and an archived
 * file cannot be read.
 */
export function hasContent(generation: Generation, index: number): boolean {
  return !generation.isDirectory(index) && generation.size(index) > 0 && !generation.isArchived(index);
}

export function boundFor(size: number, bound: number): Bound {
  return size <= bound ? 'within' : 'past';
}

/**
 * Whether to prefetch the entry: a file with content, within the bound, that is marked neither as local nor
 * as too large for the room on disk.
 */
export function isWanted(
  generation: Generation,
  content: ContentState,
  index: number,
  bound: number,
): boolean {
  return (
    content.marks[index] === MARK.unknown && generation.size(index) <= bound && hasContent(generation, index)
  );
}
