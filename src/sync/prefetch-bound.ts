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
  /** Of all files up to `prefetchBytes` together: the cache size that would hold them. */
  readonly neededBytes: number;
  readonly fits: boolean;
}

/** Steps of size by which files that do not all fit are told apart. */
const STEPS = 4096;

/** The largest size such that all files up to it fit into the cache: where not all do, the smallest are kept. */
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

/** A file that has content which could be fetched: an empty one has none, an archived one cannot be read. */
export function hasContent(generation: Generation, index: number): boolean {
  return !generation.isDirectory(index) && generation.size(index) > 0 && !generation.isArchived(index);
}

export function boundFor(size: number, bound: number): Bound {
  return size <= bound ? 'within' : 'past';
}

/** Whether the entry is to be fetched before anybody asks for it, as far as is known. */
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
