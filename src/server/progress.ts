import type { SyncView } from '../sync/sync-view.ts';
import type { Progress } from './server-port.ts';

/** How far a first mount is, for whoever waits in front of a terminal. */
export function progressOf({ generation, pending, ready, waiting }: SyncView): Progress {
  return {
    phase: generation === undefined ? 'listing' : ready ? 'ready' : 'prefetch',
    totalFiles: generation?.files ?? 0,
    totalBytes: generation?.bytes ?? 0,
    ...pending,
    waitingFor: waiting,
  };
}
