import type { Logger } from '../base/logger.ts';
import type { Yielder } from '../base/yielder.ts';
import type { Stop } from '../store/stop.ts';
import type { GenerationChanges } from '../tree/index.ts';
import type { Adoptions } from './adoption.ts';
import { boundedForEach } from './bounded-for-each.ts';
import { MARK } from './content-state.ts';
import type { Fetched } from './fetch-content.ts';
import type { FetchTarget } from './fetch-target.ts';
import type { ContentCachePort, FetchPlanner } from './ports.ts';
import { hasContent, isWanted } from './prefetch-bound.ts';
import type { Progress } from './progress.ts';
import type { StaleVersions } from './stale-versions.ts';
import { Control, type Probe } from './unreadable/control.ts';
import { type FailedObject, failedObject, isIgnoreFile } from './unreadable/failed-object.ts';
import { fetchInTime, longestMs, type TimedMeans } from './unreadable/fetch-in-time.ts';
import type { UnreadableObjects } from './unreadable/unreadable-objects.ts';
import { withinTime } from './unreadable/within-time.ts';

export interface FetchMeans extends TimedMeans {
  readonly cache: ContentCachePort;
  /** The maximum number of concurrent fetches. */
  readonly concurrency: number;
  readonly log: Logger;
  readonly probe: Probe;
  readonly unreadable: UnreadableObjects;
  /** Undefined if contents are fetched one by one. */
  readonly planner?: FetchPlanner | undefined;
}

export interface PrefetchMeans extends FetchMeans {
  readonly progress: Progress;
  /** Versions found changed or gone since this revalidation began. */
  readonly stale: StaleVersions;
  /** Set if listings went stale too often: adopts the found versions in place of the listed ones. */
  readonly adoptions: Adoptions | undefined;
  /** Whether the tree is shown only with all of its content: then the first failure ends fetching. */
  readonly isWhole: boolean;
}

export type Prefetched =
  | {
      readonly kind: 'complete';
      readonly files: number;
      readonly noRoom: number;
      /** Objects that were unreadable while the store delivered others. */
      readonly failed: readonly FailedObject[];
    }
  /** Versions other than the listed ones were adopted: build the tree again with them. */
  | { readonly kind: 'adopted'; readonly files: number }
  /** The store has another object under this path, or none: the listing is stale. */
  | { readonly kind: 'stale'; readonly path: string; readonly code: string };

/** After this many consecutive files that the disk had no room for, further fetches are useless. */
const REFUSALS = 32;

/**
 * The stage "prefetch": makes the new and changed content within the bound local, and records its
 * fingerprints. Rejects with the store's error if the store itself fails: then nothing is published. An
 * object that is unreadable while others can be read is `failed`. An object for which the disk has no room
 * counts as past the bound.
 */
export async function prefetch(
  target: FetchTarget,
  changes: Pick<GenerationChanges, 'added' | 'changed'>,
  means: PrefetchMeans,
  yielder: Yielder,
  signal: AbortSignal,
): Promise<Prefetched> {
  const { adoptions, progress, concurrency, planner, isWhole } = means;
  const { generation } = target;
  adoptions?.note(target);
  const { wanted, isWantedAt, bytes } = await wantedOf(target, changes, yielder);
  progress.plan(wanted.length, bytes);
  const isLocal = (index: number): boolean => target.content.marks[index] === MARK.local;
  const wasHad = (index: number): boolean => isLocal(index) || isWantedAt[index] === 0;
  const control = new Control({ ...means, target, wasHad });
  const replacesReadable = new Set(changes.changed);
  const failed: FailedObject[] = [];
  let stale: Prefetched | undefined;
  let adopted = 0;
  const tally = new Tally();
  const plan = planner?.plan(generation, wanted);
  const order = plan?.order ?? wanted;
  const visit = async (at: number, over: Stop): Promise<'stop' | 'next'> => {
    const index = order[at]!;
    try {
      const fetched = await fetchInTime(means, target, index, over);
      if (fetched.kind === 'stale') {
        const end = await settleStale(target, index, fetched, means, over);
        if (end === 'adopted') adopted += 1;
        else stale ??= end;
        return end === 'adopted' ? 'next' : 'stop';
      }
      progress.done(generation.size(index));
      return tally.count(fetched);
    } catch (error) {
      if (over.aborted || isWhole) throw error;
      if (!(await control.isOwnFault(index, over))) throw error;
      failed.push(failedObject(generation, index, error, replacesReadable.has(index)));
      return 'next';
    }
  };
  try {
    await boundedForEach({ total: wanted.length, concurrency, yielder, signal }, visit);
  } finally {
    plan?.end();
  }
  if (stale !== undefined) return stale;
  if (adopted > 0) return { kind: 'adopted', files: adopted };
  tally.warn(means.log);
  return { kind: 'complete', files: wanted.length, noRoom: tally.noRoom, failed };
}

/**
 * Decides what follows when a fetch found another object than the listed one, or none: adopts that object, or
 * returns that the listing is stale. Rejects with the store's error if a newer listing named the same version
 * again, because the store then does not deliver this object.
 */
async function settleStale(
  target: FetchTarget,
  index: number,
  { code, error }: Fetched & { readonly kind: 'stale' },
  { adoptions, stale, clock, slow }: PrefetchMeans,
  signal: Stop,
): Promise<'adopted' | (Prefetched & { readonly kind: 'stale' })> {
  const { name, path } = target.generation.version(index);
  const isListedAgain = stale.found(name);
  if (isListedAgain) throw error;
  if (adoptions === undefined) return { kind: 'stale', path, code };
  const ms = longestMs(target.generation.size(index));
  await slow.watched(path, () =>
    withinTime(ms, clock, signal, (until) => adoptions.take(target, index, until)),
  );
  return 'adopted';
}

/** Counts the results of fetches. */
export class Tally {
  noRoom = 0;
  #refusalsInARow = 0;

  /** Counts a result. Returns `stop` if the disk accepts nothing. */
  count({ kind }: Fetched): 'stop' | 'next' {
    if (kind === 'no-room') this.noRoom += 1;
    this.#refusalsInARow = kind === 'no-room' ? this.#refusalsInARow + 1 : 0;
    return this.#refusalsInARow >= REFUSALS ? 'stop' : 'next';
  }

  /** Warns once about content that did not fit. */
  warn(log: Logger): void {
    const { noRoom } = this;
    if (noRoom > 0)
      log.warn(
        { event: 'cache-full', noRoom },
        'the cache is too small for all content; reads fetch the rest from the store',
      );
  }
}

/**
 * Returns the new and changed files within the bound, and every new or changed .airflowignore, which is never
 * shown without its content.
 */
async function wantedOf(
  target: FetchTarget,
  changes: Pick<GenerationChanges, 'added' | 'changed'>,
  yielder: Yielder,
): Promise<{ readonly wanted: Uint32Array; readonly isWantedAt: Uint8Array; readonly bytes: number }> {
  const { generation, content, bound } = target;
  const wanted = new Uint32Array(changes.added.length + changes.changed.length);
  const isWantedAt = new Uint8Array(generation.entries);
  let count = 0;
  let bytes = 0;
  for (const indices of [changes.added, changes.changed]) {
    for (const index of indices) {
      if (
        isWanted(generation, content, index, bound) ||
        (content.marks[index] === MARK.unknown &&
          hasContent(generation, index) &&
          isIgnoreFile(generation.path(index)))
      ) {
        wanted[count++] = index;
        isWantedAt[index] = 1;
        bytes += generation.size(index);
      }
      if (yielder.due()) await yielder.turn();
    }
  }
  return { wanted: wanted.subarray(0, count), isWantedAt, bytes };
}
