import type { ChangeLog, PathDifferences } from './change-log.ts';
import type { HistoryEntry } from './history.ts';

export interface ComparedGenerations extends PathDifferences {
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the paths that differ between two generations of the history, in either order. A tree that was
 * shown several times has the same id each time. Then this uses the last time when `to` was shown, and the
 * time when `from` was shown that is nearest to it.
 *
 * @param from undefined: the generation before `to`
 * @returns undefined if one of the two generations, or the changes between them, is no longer kept
 */
export async function compareGenerations(
  history: readonly HistoryEntry[],
  log: ChangeLog,
  from: string | undefined,
  to: string,
): Promise<ComparedGenerations | undefined> {
  const last = history.findLastIndex(({ id }) => id === to);
  if (last < 0) return undefined;
  if (from === to) return { from, to, added: [], changed: [], removed: [] };
  const first = from === undefined ? last - 1 : nearest(history, from, last);
  const start = history[first];
  if (start === undefined) return undefined;
  const [low, high] = first < last ? [first, last] : [last, first];
  const numbers = history.slice(low + 1, high + 1).map(({ number }) => number);
  const found = await log.sum(numbers);
  if (found === undefined) return undefined;
  const { added, changed, removed } = found;
  return first < last
    ? { from: start.id, to, added, changed, removed }
    : { from: start.id, to, added: removed, changed, removed: added };
}

function nearest(history: readonly HistoryEntry[], id: string, to: number): number {
  let best = -1;
  history.forEach((entry, index) => {
    if (entry.id === id && (best < 0 || Math.abs(index - to) <= Math.abs(best - to))) best = index;
  });
  return best;
}
