import type { Clock } from '../../base/clock.ts';
import { childOf, startAlarm } from '../../base/waiting.ts';
import { SyncError } from '../failure.ts';

/** Aborts `run` after `ms` and rejects with SyncError `overdue`; otherwise settles as `run` does. */
export async function withinTime<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { controller, release } = childOf(signal);
  const alarm = startAlarm(clock, ms, () => controller.abort());
  try {
    return await run(controller.signal);
  } catch (error) {
    if (!alarm.rang || signal.aborted) throw error;
    throw new SyncError(
      'overdue',
      `It had not come whole after ${Math.round(ms / 1000)} s.`,
      'Look at the object, and at the way to the store.',
    );
  } finally {
    release();
    await alarm.stop();
  }
}
