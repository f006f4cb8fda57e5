import type { ReleasedFile } from '../release/index.ts';
import { readLogEntry, type Standing, type TakenStep } from './current-step.ts';
import { readFiles, unlessUnusable } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';

/** How many steps are searched. Each step takes two requests; older changes are rarely of interest. */
const MOST_STEPS = 20;

/**
 * Returns, for each path, the step that last changed it. Omits a path that none of the newest MOST_STEPS
 * steps changed.
 *
 * @throws {DeployError}, {ReleaseError}, {StoreError}
 */
export async function lastDeployers(
  store: ReleaseStore,
  environment: string,
  standing: Standing,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TakenStep>> {
  const found = new Map<string, TakenStep>();
  const sought = new Set(paths);
  let step = standing.step;
  let files = await contentsOf(step, store, signal);
  for (let steps = 0; step !== undefined && sought.size > 0 && steps < MOST_STEPS; steps++) {
    const { previous } = step.payload;
    const before =
      previous === undefined
        ? undefined
        : await readLogEntry(store, environment, previous.sequence, signal).catch(unlessUnusable);
    // The search ends if the log lacks the previous step or has another one, or if a collection has deleted the
    // manifest of that step: its files are unknown.
    if (before?.digest !== previous?.sha256) break;
    const older = await contentsOf(before, store, signal).catch(unlessUnusable);
    if (older === undefined) break;
    for (const path of sought) {
      if (files.get(path) === older.get(path)) continue;
      found.set(path, step);
      sought.delete(path);
    }
    step = before;
    files = older;
  }
  return found;
}

async function contentsOf(
  step: TakenStep | undefined,
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const files: readonly ReleasedFile[] = step === undefined ? [] : await readFiles(store, { step }, signal);
  return new Map(files.map(({ path, sha256, executable }) => [path, `${sha256} ${executable}`]));
}
