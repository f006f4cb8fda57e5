import type { Clock } from '../../base/clock.ts';
import { childOf } from '../../base/waiting.ts';
import { SyncError } from '../failure.ts';

/** Aborts `run` after `ms` and rejects with SyncError `overdue`; otherwise settles as `run` does. */
export async function withinTime<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { controller, release } = childOf(signal);
  const over = new AbortController();
  let late = false;
  const timer = clock.sleep(ms, over.signal).then(
    () => {
      late = true;
      controller.abort();
    },
    () => undefined,
  );
  try {
    return await run(controller.signal);
  } catch (error) {
    if (!late || signal.aborted) throw error;
    throw new SyncError(
      'overdue',
      `It had not come whole after ${Math.round(ms / 1000)} s.`,
      'Look at the object, and at the way to the store.',
    );
  } finally {
    release();
    over.abort();
    await timer;
  }
}
