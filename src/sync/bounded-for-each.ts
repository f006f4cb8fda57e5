import { setMaxListeners } from 'node:events';
import { childOf } from '../base/waiting.ts';
import type { Yielder } from '../base/yielder.ts';

export interface BoundedForEachOptions {
  /** Positions 0 to total - 1 are visited once each. */
  readonly total: number;
  /** Visits at a time. */
  readonly concurrency: number;
  readonly yielder: Yielder;
  readonly signal: AbortSignal;
  /** Once it is aborted no more positions are taken, and the visits under way end by themselves. */
  readonly until?: AbortSignal;
}

/**
 * Visits positions by a few workers over one cursor, in order: a million positions allocate no million promises.
 * A visit that answers `stop` ends the iteration; one that rejects does too, and the iteration then rejects with its
 * error. Either aborts the visits under way, and the iteration returns only once they have ended.
 */
export async function boundedForEach(
  { total, concurrency, yielder, signal, until }: BoundedForEachOptions,
  visit: (position: number, signal: AbortSignal) => Promise<'stop' | 'next'>,
): Promise<void> {
  signal.throwIfAborted();
  const { controller: over, release } = childOf(signal);
  setMaxListeners(0, over.signal);
  let cursor = 0;
  let failed: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    while (cursor < total && !over.signal.aborted && until?.aborted !== true) {
      const position = cursor;
      cursor += 1;
      try {
        if ((await visit(position, over.signal)) === 'stop') over.abort();
        if (yielder.due()) await yielder.turn();
      } catch (error) {
        // Visits aborted by the end of the iteration reject too: the first error is the cause.
        if (!over.signal.aborted) {
          failed = { error };
          over.abort();
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
