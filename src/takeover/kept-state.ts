import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { ownPackage } from '../base/own-package.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { openState } from '../state/open-state.ts';
import { openTakeover } from '../state/open-takeover.ts';
import type { SavedState } from '../state/saved-state.ts';
import { StateStore } from '../state/state-store.ts';
import { millisecondsOf } from '../sync/instant.ts';
import type { PeakEntry } from '../sync/peak-files.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Restored } from '../sync/restored.ts';
import { type FilterPatterns, type Generation, PathFilter } from '../tree/index.ts';

export interface KeptStateOptions {
  readonly config: MountConfig;
  readonly mountId: string;
  /** This mount's own; made here. */
  readonly runtimeDirectory: string;
  /** This mount's own, locked. */
  readonly cacheDirectory: string;
  /** Whether the connection of a predecessor with the kernel is there. */
  readonly takesOver: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Succession {
  /** The tree before, where the kernel may not have been told of all that is different since. */
  readonly previous: Generation | undefined;
  /** What the kernel may hold of trees before the one shown, also what that has again. */
  readonly replaced: readonly ReplacedInode[];
}

export interface KeptState {
  readonly store: StateStore;
  /** What a former process published; undefined where there is nothing that can be used. */
  readonly restored: Restored | undefined;
  /** Where the connection of a predecessor can be gone on with. */
  readonly succession: Succession | undefined;
}

/** What outlives the process: read back for a mount that is made anew, and written from now on. */
export async function openKeptState(options: KeptStateOptions): Promise<KeptState> {
  const { config, mountId, runtimeDirectory, cacheDirectory, clock, log } = options;
  await mkdir(runtimeDirectory, { recursive: true, mode: 0o700 });
  const filters = identityOf(config);
  const places = { runtimeDirectory, cacheDirectory, mountId, log };
  const takeover = options.takesOver ? await openTakeover(places) : undefined;
  const found = takeover === undefined ? await openState(places) : { ...takeover, from: 'runtime' };
  const store = new StateStore({
    runtimeDirectory,
    cacheDirectory,
    identity: { mountId, filters, writtenBy: ownPackage().version },
    inCache: found?.inCache ?? true,
    clock,
    log,
  });
  if (found === undefined) return { store, restored: undefined, succession: undefined };
  const { state, from } = found;
  const newFilters = state.filters === filters ? undefined : config;
  const restored = restoredOf(state, newFilters, takeover !== undefined);
  const { number, files } = { number: state.number, files: state.generation.files };
  const publishedAt = new Date(restored.publishedAt).toISOString();
  log.info({ event: 'restored', number, files, publishedAt, from }, 'the last tree is there');
  return {
    store,
    restored,
    succession: takeover && { previous: takeover.previous?.generation, replaced: state.replaced },
  };
}

/**
 * `newFilters`: where they are not those that the tree was built with. `sameKernel`: where the mount is the one that it
 * was shown in; the kernel knows nothing of one that was not there.
 */
function restoredOf(
  state: SavedState,
  newFilters: FilterPatterns | undefined,
  sameKernel: boolean,
): Restored {
  const { generation, problems, instant, nextNodeId, changeLog, release } = state;
  const publishedAt = millisecondsOf(instant);
  return {
    generation,
    problems,
    publishedAt,
    lastSecond: instant.seconds,
    nextNodeId,
    changeLog,
    release,
    ...(sameKernel ? heldBy(state) : { removedDirectories: new Map(), replaced: [] }),
    peaks: newFilters === undefined ? state.peaks : [peakThrough(newFilters, generation)],
    history: state.history.map((entry) =>
      entry.number === state.number ? { ...entry, publishedAt } : entry,
    ),
  };
}

/** What the kernel may hold and is not shown. The state was written before directories came back under their old ids. */
function heldBy({
  generation,
  removedDirectories,
  replaced,
}: SavedState): Pick<Restored, 'removedDirectories' | 'replaced'> {
  const isShown = (nodeId: number): boolean => generation.indexOfNode(nodeId) >= 0;
  return {
    removedDirectories: new Map([...removedDirectories].filter(([, nodeId]) => !isShown(nodeId))),
    replaced: replaced.filter(({ nodeId }) => !isShown(nodeId)),
  };
}

/**
 * What other filters leave out is no deletion: the guard compares with as many files of the tree as they show. With
 * one at least where there was any, so that filters that show nothing are held like an empty listing. Of earlier
 * trees only the numbers are known, which say nothing about other filters.
 */
function peakThrough(filters: FilterPatterns, generation: Generation): PeakEntry {
  const filter = PathFilter.compile(filters);
  let files = 0;
  for (let index = 0; index < generation.entries; index++) {
    if (!generation.isDirectory(index) && filter.shows(generation.path(index))) files += 1;
  }
  return { files: Math.max(files, Math.min(1, generation.files)), until: null };
}

function identityOf({ include, exclude }: FilterPatterns): string {
  return createHash('sha256')
    .update(JSON.stringify([include, exclude]))
    .digest('hex')
    .slice(0, 32);
}
