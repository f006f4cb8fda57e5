import type { Clock } from '../../base/clock.ts';
import { RETRIES } from '../../base/retry-policies.ts';
import type { Generation } from '../../tree/index.ts';
import type { ContentState } from '../content-state.ts';
import { type Fetched, fetchEntry } from '../fetch-content.ts';
import type { ContentCachePort } from '../ports.ts';
import type { SlowFetches } from './slow-fetches.ts';
import { withinTime } from './within-time.ts';

export interface TimedMeans {
  readonly cache: Pick<ContentCachePort, 'ensure'>;
  readonly clock: Clock;
  readonly slow: SlowFetches;
  /** Milliseconds that a path may take, where it may take so many by its size. */
  readonly allowedMs: (path: string, ms: number) => number;
}

/**
 * The store bounds each of its requests, at 30 s where it gets no answer that is of use. This is the bound for the whole
 * of an object, as slow as the way to the store may be, so that one that never ends cannot keep the others from being
 * shown. It is longer, so that what the store answered is what is told.
 */
const SLOWEST_BYTES_PER_MS = 16;

/** Milliseconds after which an object of so many bytes is given up. */
export function longestMs(size: number): number {
  return RETRIES.object.deadlineMs + size / SLOWEST_BYTES_PER_MS;
}

/** As fetchEntry, in bounded time: rejects with SyncError `overdue` after that. */
export function fetchInTime(
  { cache, clock, slow, allowedMs }: TimedMeans,
  target: { readonly generation: Generation; readonly content: ContentState },
  index: number,
  signal: AbortSignal,
): Promise<Fetched> {
  const { generation } = target;
  const path = generation.path(index);
  const ms = allowedMs(path, longestMs(generation.size(index)));
  return slow.watched(path, () =>
    withinTime(ms, clock, signal, (until) => fetchEntry(cache, target, index, until)),
  );
}
