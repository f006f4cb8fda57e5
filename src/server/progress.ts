import type { SyncView } from '../sync/sync-view.ts';
import type { Progress } from './server-port.ts';

/** The progress of a first mount, for a terminal. */
export function progressOf(trees: readonly SyncView[]): Progress {
  const sum = (of: (view: SyncView) => number): number => trees.reduce((all, view) => all + of(view), 0);
  const isListed = trees.every(({ generation }) => generation !== undefined);
  return {
    phase: !isListed ? 'listing' : trees.every(({ ready }) => ready) ? 'ready' : 'prefetch',
    totalFiles: sum(({ generation }) => generation?.files ?? 0),
    totalBytes: sum(({ generation }) => generation?.bytes ?? 0),
    pendingFiles: sum(({ pending }) => pending.pendingFiles),
    pendingBytes: sum(({ pending }) => pending.pendingBytes),
    waitingFor: trees.find(({ waiting }) => waiting !== undefined)?.waiting,
  };
}
