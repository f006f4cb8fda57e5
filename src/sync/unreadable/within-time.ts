import type { Clock } from '../../base/clock.ts';
import { startAlarm } from '../../base/waiting.ts';
import { type Stop, stopperUnder } from '../../store/stop.ts';
import { SyncError } from '../failure.ts';

/** Aborts `run` after `ms` and rejects with SyncError `overdue`; otherwise settles as `run` does. */
export async function withinTime<T>(
  ms: number,
  clock: Pick<Clock, 'alarm'>,
  signal: Stop,
  run: (signal: Stop) => Promise<T>,
): Promise<T> {
  const { stopper, release } = stopperUnder(signal);
  const alarm = startAlarm(clock, ms, () => stopper.abort(new Error('its time is over')));
  try {
    return await run(stopper);
  } catch (error) {
    if (!alarm.rang || signal.aborted) throw error;
    throw new SyncError(
      'overdue',
      `It had not come whole after ${Math.round(ms / 1000)} s.`,
      'Look at the object, and at the way to the store.',
    );
  } finally {
    release();
    alarm.stop();
  }
}
