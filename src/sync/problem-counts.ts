import type { SyncView } from './sync-view.ts';

type Problems = Pick<SyncView, 'problems' | 'unnamedProblems'>;

/** Counts problems by reason, listed and unlisted ones together. */
export function problemCounts({ problems, unnamedProblems }: Problems): Map<string, number> {
  const counts = new Map(unnamedProblems);
  for (const { reason } of problems) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

/** Returns the number of problems that status shows. */
export function problemTotal(view: Problems): number {
  let total = 0;
  for (const count of problemCounts(view).values()) total += count;
  return total;
}
