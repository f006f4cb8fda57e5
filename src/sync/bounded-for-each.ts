import type { Yielder } from '../base/yielder.ts';
import { type Stop, stopperUnder } from '../store/stop.ts';

export interface BoundedForEachOptions {
  /** Positions 0 to total - 1 are visited once each. */
  readonly total: number;
  /** The maximum number of visits at a time. */
  readonly concurrency: number;
  readonly yielder: Yielder;
  readonly signal: AbortSignal;
  /** Once this is aborted, no more positions are visited, but visits in progress finish. */
  readonly until?: AbortSignal;
}

/** Why visits in progress are aborted when the iteration ends early. */
const ENDED = 'the iteration has ended';

/**
 * Visits positions in order. A few workers share one cursor, so that a million positions do not allocate a
 * million promises. A visit that returns `stop` ends the iteration. A visit that rejects ends it, too, and
 * the iteration rejects with the same error. Both abort the visits in progress, and the iteration returns
 * after these have ended.
 */
export async function boundedForEach(
  { total, concurrency, yielder, signal, until }: BoundedForEachOptions,
  visit: (position: number, signal: Stop) => Promise<'stop' | 'next'>,
): Promise<void> {
  signal.throwIfAborted();
  const { stopper: over, release } = stopperUnder(signal);
  let cursor = 0;
  let failed: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    while (cursor < total && !over.aborted && until?.aborted !== true) {
      const position = cursor;
      cursor += 1;
      try {
        if ((await visit(position, over)) === 'stop') over.abort(ENDED);
        if (yielder.due()) await yielder.turn();
      } catch (error) {
        // Visits aborted by the end reject too: keep the first error, which is the cause.
        if (!over.aborted) {
          failed = { error };
          over.abort(ENDED);
        }
      }
    }
  };
  const workers: Promise<void>[] = [];
  for (let worker = 0; worker < Math.min(concurrency, total); worker++) workers.push(work());
  await Promise.all(workers);
  release();
  signal.throwIfAborted();
  if (failed !== undefined) throw failed.error;
}
