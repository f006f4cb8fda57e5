import type { SyncView } from '../sync/sync-view.ts';
import type { Progress } from './server-port.ts';

/** The progress of a first mount, for a user who waits at a terminal. */
export function progressOf({ generation, pending, ready, waiting }: SyncView): Progress {
  return {
    phase: generation === undefined ? 'listing' : ready ? 'ready' : 'prefetch',
    totalFiles: generation?.files ?? 0,
    totalBytes: generation?.bytes ?? 0,
    ...pending,
    waitingFor: waiting,
  };
}
