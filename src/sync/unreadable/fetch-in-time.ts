import type { Clock } from '../../base/clock.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import type { Stop } from '../../store/stop.ts';
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
  /** Returns how many milliseconds the fetch of a path may take, if its size allows `ms`. */
  readonly allowedMs: (path: string, ms: number) => number;
}

/**
 * Bounds the whole fetch of an object over a slow network, so that a fetch that never ends cannot keep other
 * objects from being shown. src/store ends each request after 40 s without a usable answer. This bound is
 * longer, so that the store's own error is reported.
 */
const SLOWEST_BYTES_PER_MS = 5;

/**
 * Milliseconds after which fetching an object of this size is abandoned: whole seconds, because Node.js keeps
 * a list of timers for each duration, and creates it for the first one.
 */
export function longestMs(size: number): number {
  return 1000 * Math.ceil((RETRIES.object.deadlineMs + size / SLOWEST_BYTES_PER_MS) / 1000);
}

/**
 * Does the same as fetchEntry, within a time limit. Rejects with SyncError `overdue` when that time is over.
 */
export function fetchInTime(
  { cache, clock, slow, allowedMs }: TimedMeans,
  target: { readonly generation: Generation; readonly content: ContentState },
  index: number,
  signal: Stop,
): Promise<Fetched> {
  const version = target.generation.version(index);
  const { path, size } = version;
  return slow.watched(path, () =>
    withinTime(allowedMs(path, longestMs(size)), clock, signal, (until) =>
      fetchEntry(cache, target, index, until, version),
    ),
  );
}
