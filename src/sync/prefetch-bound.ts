import type { Yielder } from '../base/yielder.ts';
import type { Generation } from '../tree/index.ts';
import { type ContentState, MARK } from './content-state.ts';
import type { Bound } from './ports.ts';

export interface PrefetchLimits {
  /** The largest file fetched before it is published, bytes; 0: none, Infinity: all. */
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

/** Size classes for choosing which files fit. */
const STEPS = 4096;

/** The largest size for which all files up to it fit into the cache: if not all fit, the smallest are kept. */
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

/** A file with content that can be fetched: an empty file has none, and an archived one is not readable. */
export function hasContent(generation: Generation, index: number): boolean {
  return !generation.isDirectory(index) && generation.size(index) > 0 && !generation.isArchived(index);
}

export function boundFor(size: number, bound: number): Bound {
  return size <= bound ? 'within' : 'past';
}

/** Whether to prefetch the entry: a file with content within the bound, not marked as local or as too large for the room. */
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
