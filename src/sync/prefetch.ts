import type { Generation, GenerationChanges } from '../tree/index.ts';
import type { Adoptions } from './adoption.ts';
import { type ContentState, MARK } from './content-state.ts';
import type { Damage } from './damage.ts';
import { codeOf } from './failure.ts';
import { type Fetched, fetchEntry } from './fetch-content.ts';
import type { Pace } from './pace.ts';
import type { ContentCachePort, Logger } from './ports.ts';
import { isWanted } from './prefetch-bound.ts';
import type { Progress } from './progress.ts';
import { sweep } from './sweep.ts';

export interface FetchTarget {
  readonly generation: Generation;
  readonly content: ContentState;
  /** The largest file to fetch, bytes. */
  readonly bound: number;
}

export interface FetchMeans {
  readonly cache: ContentCachePort;
  /** Fetches at a time. */
  readonly concurrency: number;
  readonly log: Logger;
}

export interface PrefetchMeans extends FetchMeans {
  readonly progress: Progress;
  readonly damage: Damage;
  /** Where listings went out of date too often: takes what is found in the place of what was listed. */
  readonly adoptions: Adoptions | undefined;
}

export type Prefetched =
  | {
      readonly kind: 'complete';
      readonly files: number;
      readonly unreadable: number;
      readonly noRoom: number;
    }
  /** Other objects were found than were listed: the tree is to be built again with them. */
  | { readonly kind: 'adopted'; readonly files: number }
  /** The store has another object under this path, or none: what was listed is out of date. */
  | { readonly kind: 'stale'; readonly path: string; readonly code: string };

/** So many denials, and not one object read, mean that reading is not granted at all. */
const DENIALS = 10;
/** So many damaged objects, and not one whole, mean that it is not about these objects. */
const DAMAGES = 10;
/** So many files in a row that the disk did not take mean that it takes none: fetching more is in vain. */
const REFUSALS = 32;
/** Paths named in a warning. */
const SAMPLES = 5;

/**
 * The stage "prefetch": makes the new and changed content within the bound local and notes its stamps. Rejects
 * with the store's error where the store is in trouble: then nothing is published. An object that alone cannot be
 * read is shown all the same, and one that the disk cannot take counts as past the bound.
 */
export async function prefetch(
  target: FetchTarget,
  changes: GenerationChanges,
  means: PrefetchMeans,
  pace: Pace,
  signal: AbortSignal,
): Promise<Prefetched> {
  const { adoptions, damage, progress } = means;
  adoptions?.note(target);
  const { wanted, bytes } = await wantedOf(target, changes, pace);
  progress.plan(wanted.length, bytes);
  let stale: Prefetched | undefined;
  let adopted = 0;
  let damaged: { readonly error: unknown } | undefined;
  const givenUp: unknown[] = [];
  const tally = new Tally();
  await sweep({ total: wanted.length, concurrency: means.concurrency, pace, signal }, async (at, over) => {
    const index = wanted[at]!;
    const path = target.generation.path(index);
    let fetched: Fetched;
    try {
      fetched = await fetchEntry(means.cache, target, index, over);
      if (fetched.kind === 'stale' && adoptions !== undefined) {
        fetched = await adoptions.take(target, index, over);
        if (fetched.kind === 'stale') adopted += 1;
      }
    } catch (error) {
      if (over.aborted || codeOf(error) !== 'corrupt') throw error;
      if (!damage.found(path)) {
        damaged ??= { error };
        return 'next';
      }
      givenUp.push(error);
      fetched = { kind: 'unreadable', code: 'corrupt', error };
    }
    if (fetched.kind === 'stale' && adoptions === undefined) {
      stale ??= { kind: 'stale', path, code: fetched.code };
      return 'stop';
    }
    note(target, index, fetched);
    progress.done(target.generation.size(index));
    return tally.count(target, index, fetched);
  });
  if (stale !== undefined) return stale;
  if (damaged !== undefined) throw damaged.error;
  if (givenUp.length >= DAMAGES && tally.local === 0) throw givenUp[0];
  if (adopted > 0) return { kind: 'adopted', files: adopted };
  tally.warn(means.log);
  return { kind: 'complete', files: wanted.length, unreadable: tally.unreadable, noRoom: tally.noRoom };
}

/**
 * Writes down what was learned of one entry's content. A refusal of the disk is left open: it may be short of
 * room only while two trees are shown. So is damage: the backlog tries again now and then.
 */
export function note({ content }: FetchTarget, index: number, fetched: Fetched): void {
  if (fetched.kind === 'local') content.setLocal(index, fetched.stamp);
  if (fetched.kind === 'unreadable' && fetched.code !== 'corrupt') content.marks[index] = MARK.unreadable;
}

/** Counts how fetches end, to tell one object's trouble from everybody's. */
export class Tally {
  local = 0;
  unreadable = 0;
  noRoom = 0;
  readonly #samples: { readonly path: string; readonly code: string }[] = [];
  #refusalsInARow = 0;

  /** `stop` where the disk takes nothing. Throws the store's error where it denies everything. */
  count({ generation }: FetchTarget, index: number, fetched: Fetched): 'stop' | 'next' {
    if (fetched.kind === 'local') this.local += 1;
    if (fetched.kind === 'no-room') this.noRoom += 1;
    this.#refusalsInARow = fetched.kind === 'no-room' ? this.#refusalsInARow + 1 : 0;
    if (fetched.kind === 'unreadable') {
      this.unreadable += 1;
      if (this.#samples.length < SAMPLES) {
        this.#samples.push({ path: generation.path(index), code: fetched.code });
      }
      if (this.local === 0 && this.unreadable >= DENIALS && fetched.code === 'denied') throw fetched.error;
    }
    return this.#refusalsInARow >= REFUSALS ? 'stop' : 'next';
  }

  /** Says once what readers will meet. */
  warn(log: Logger): void {
    const { unreadable, noRoom } = this;
    if (unreadable > 0) {
      log.warn(
        { unreadable, samples: this.#samples },
        'objects cannot be read: they are shown, and reading them fails',
      );
    }
    if (noRoom > 0)
      log.warn({ noRoom }, 'the cache cannot take all content: what is missing is read from the store');
  }
}

async function wantedOf(
  target: FetchTarget,
  changes: GenerationChanges,
  pace: Pace,
): Promise<{ readonly wanted: Uint32Array; readonly bytes: number }> {
  const wanted = new Uint32Array(changes.added.length + changes.changed.length);
  let count = 0;
  let bytes = 0;
  for (const indices of [changes.added, changes.changed]) {
    for (const index of indices) {
      if (isWanted(target.generation, target.content, index, target.bound)) {
        wanted[count++] = index;
        bytes += target.generation.size(index);
      }
      if (pace.due()) await pace.turn();
    }
  }
  return { wanted: wanted.subarray(0, count), bytes };
}
