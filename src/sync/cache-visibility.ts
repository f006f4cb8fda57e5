import type { Yielder } from '../base/yielder.ts';
import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { ContentCachePort } from './ports.ts';
import { boundFor, hasContent } from './prefetch-bound.ts';
import { isShown } from './shown.ts';

/**
 * Tells the cache that these entries are shown, or will be. The cache does not evict entries within the
 * prefetch bound to make room for others.
 */
export async function showContent(
  cache: Pick<ContentCachePort, 'show'>,
  generation: Generation,
  indices: Iterable<number>,
  bound: number,
  yielder: Yielder,
): Promise<void> {
  for (const index of indices) {
    if (hasContent(generation, index)) {
      // Only the name: reading a whole version of each entry of a new tree takes several times as long.
      const name = generation.versionName(index);
      cache.show({ name }, boundFor(generation.size(index), bound));
    }
    if (yielder.due()) await yielder.turn();
  }
}

/**
 * Tells the cache that these entries are no longer shown, so that it evicts them first.
 *
 * @param now the tree that is shown now: versions that it shows stay. It may show a version of an entry with
 *   another mode, and a version of a release under another path.
 */
export async function hideContent(
  cache: Pick<ContentCachePort, 'hide'>,
  generation: Generation,
  indices: Iterable<number>,
  now: Generation | undefined,
  yielder: Yielder,
): Promise<void> {
  if (generation.isReleased) return hideVersions(cache, generation, indices, now, yielder);
  for (const index of indices) {
    if (hasContent(generation, index)) {
      const version = generation.version(index);
      if (!isShown(now, version)) cache.hide(version);
    }
    if (yielder.due()) await yielder.turn();
  }
}

/**
 * Hides versions of a release. Several paths may share a version, so a version is hidden only if the shown
 * tree has it under no path.
 */
async function hideVersions(
  cache: Pick<ContentCachePort, 'hide'>,
  generation: Generation,
  indices: Iterable<number>,
  now: Generation | undefined,
  yielder: Yielder,
): Promise<void> {
  const gone = new Map<string, number>();
  for (const index of indices) {
    if (hasContent(generation, index)) gone.set(generation.versionName(index), index);
    if (yielder.due()) await yielder.turn();
  }
  for (let index = 0; now !== undefined && gone.size > 0 && index < now.entries; index++) {
    if (hasContent(now, index)) gone.delete(now.versionName(index));
    if (yielder.due()) await yielder.turn();
  }
  for (const index of gone.values()) {
    cache.hide(generation.version(index));
    if (yielder.due()) await yielder.turn();
  }
}

/** Yields the files whose size lies between two bounds: a change from one bound to the other affects them. */
export function* filesBetween(generation: Generation, one: number, other: number): Generator<number> {
  const low = Math.min(one, other);
  const high = Math.max(one, other);
  for (let index = 0; index < generation.entries; index++) {
    const size = generation.size(index);
    if (size > low && size <= high && !generation.isDirectory(index)) yield index;
  }
}

export function* everyEntry(generation: Generation): Generator<number> {
  for (let index = 0; index < generation.entries; index++) yield index;
}

/**
 * Yields the added and changed entries, or all entries if there was no earlier generation, as indices of the
 * new generation.
 */
export function* newFiles({
  generation,
  changes,
}: {
  readonly generation: Generation;
  readonly changes: GenerationChanges | undefined;
}): Generator<number> {
  if (changes === undefined) yield* everyEntry(generation);
  else {
    yield* changes.added;
    yield* changes.changed;
  }
}

/** Yields the changed and removed entries, as indices of the old generation. */
export function* goneFiles(changes: GenerationChanges): Generator<number> {
  yield* changes.changedFrom;
  yield* changes.removed;
}
