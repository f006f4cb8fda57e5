import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { ownPackage } from '../base/own-package.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { openState } from '../state/open-state.ts';
import { openTakeover, type TakeoverFound } from '../state/open-takeover.ts';
import type { SavedState } from '../state/saved-state.ts';
import type { ReadState } from '../state/state-file.ts';
import { StateStore } from '../state/state-store.ts';
import { millisecondsOf } from '../sync/instant.ts';
import type { PeakEntry } from '../sync/peak-files.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Restored } from '../sync/restored.ts';
import { type FilterPatterns, type Generation, PathFilter } from '../tree/index.ts';
import type { TreeMark } from './tree-mark.ts';

export interface KeptStateOptions {
  readonly config: MountConfig;
  readonly mountId: string;
  /** The directory of this mount, or of one of its trees, which this function creates. */
  readonly runtimeDirectory: string;
  /** The directory of this mount, or of one of its trees, which this server has locked. */
  readonly cacheDirectory: string;
  /** Whether the previous server left a kernel connection. */
  readonly takesOver: boolean;
  /** The state that a standby has read in advance, if it is still the one in force. */
  readonly ahead?: ReadState | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Succession {
  /** The tree before the restored one, if the kernel may lack notifications about the differences. */
  readonly previous: Generation | undefined;
  /**
   * Inodes of earlier trees that the kernel may hold, including inodes that the restored tree shows again.
   */
  readonly replaced: readonly ReplacedInode[];
}

/** What an earlier process left of a tree. */
export interface LeftState {
  /** The tree that an earlier process published; undefined if no stored tree can be used. */
  readonly restored: Restored | undefined;
  /** Set only if the inherited connection can be resumed. */
  readonly succession: Succession | undefined;
}

export interface KeptState extends LeftState {
  readonly store: StateStore;
  /** Logs that a tree was restored, if one was. Separate, because readers wait until a restored tree is shown. */
  readonly tell: () => void;
}

/** Reads the state that outlives a process, and opens the store that writes it from now on. */
export async function openKeptState(options: KeptStateOptions): Promise<KeptState> {
  const { config, mountId, runtimeDirectory, cacheDirectory, clock, log } = options;
  await mkdir(runtimeDirectory, { recursive: true, mode: 0o700 });
  const filters = identityOf(config);
  const places = { runtimeDirectory, cacheDirectory, mountId, log };
  const takeover = options.takesOver ? await openTakeover(places, options.ahead) : undefined;
  const found = takeover === undefined ? await openState(places) : { ...takeover, from: 'runtime' };
  const store = new StateStore({
    runtimeDirectory,
    cacheDirectory,
    identity: { mountId, filters, writtenBy: ownPackage().version },
    inCache: found?.inCache ?? true,
    clock,
    log,
  });
  if (found === undefined)
    return { store, restored: undefined, succession: undefined, tell: () => undefined };
  const { state, from } = found;
  const restored = restoredOf(state, newFilters(state, config));
  const { number, files } = { number: state.number, files: state.generation.files };
  const tell = (): void => {
    const publishedAt = new Date(restored.publishedAt).toISOString();
    log.info(
      { event: 'restored', number, files, publishedAt, from },
      "the last published tree was restored from this host's disk",
    );
  };
  if (takeover === undefined) return forNewMount({ store, restored, succession: undefined, tell });
  return { store, restored, tell, succession: successionOf(takeover) };
}

/**
 * Returns what openKeptState() would find in a takeover; undefined if the state cannot be used. Only reads, because the
 * files belong to the server that serves.
 */
export async function readLeft(
  options: Pick<
    KeptStateOptions,
    'config' | 'mountId' | 'runtimeDirectory' | 'cacheDirectory' | 'log' | 'ahead'
  >,
): Promise<LeftState | undefined> {
  const takeover = await openTakeover(options, options.ahead);
  if (takeover === undefined) return undefined;
  const { state } = takeover;
  return {
    restored: restoredOf(state, newFilters(state, options.config)),
    succession: successionOf(takeover),
  };
}

function successionOf({ state, previous }: TakeoverFound): Succession {
  return { previous: previous?.generation, replaced: state.replaced };
}

/** Returns the filters of this mount if the tree was built with other ones. */
function newFilters({ filters }: SavedState, config: MountConfig): MountConfig | undefined {
  return filters === identityOf(config) ? undefined : config;
}

/** Returns the state for a new mount, of which the kernel holds no inode. */
function forNewMount({ store, restored, tell }: KeptState): KeptState {
  return {
    store,
    tell,
    restored: restored && { ...restored, removedDirectories: new Map(), replaced: [] },
    succession: undefined,
  };
}

/** A tree of a mount, and what an earlier process left of it. */
export interface KeptTree {
  readonly tree: { readonly mark: Pick<TreeMark, 'since'> };
  readonly kept: KeptState;
}

/**
 * Decides whether the inherited connection can be resumed: that needs the state of every tree that the kernel
 * may know, because without the state of a tree this server would assign node ids that are in use. If it
 * cannot be resumed, returns the trees for a new mount: no session would ever release the inodes of the old
 * connection.
 *
 * @param isUsable whether this server can use the connection itself
 */
export function decideSuccession<Tree extends KeptTree>(
  trees: readonly Tree[],
  isUsable: boolean,
): { readonly canGoOn: boolean; readonly trees: readonly Tree[] } {
  const canGoOn = isUsable && trees.every(isKnown) && trees.some(({ kept }) => kept.succession !== undefined);
  return canGoOn
    ? { canGoOn, trees }
    : { canGoOn, trees: trees.map((tree) => ({ ...tree, kept: forNewMount(tree.kept) })) };
}

/** Whether this server has the state of the tree, if the kernel may know the tree. */
function isKnown({ tree, kept }: KeptTree): boolean {
  return tree.mark.since === undefined || kept.succession !== undefined;
}

/**
 * Prepares a stored state for Sync. `newFilters`: the current filters, if the tree was built with other ones.
 */
function restoredOf(state: SavedState, newFilters: FilterPatterns | undefined): Restored {
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
    ...heldBy(state),
    peaks: newFilters === undefined ? state.peaks : [peakThrough(newFilters, generation)],
    history: state.history.map((entry) =>
      entry.number === state.number ? { ...entry, publishedAt } : entry,
    ),
  };
}

/**
 * Returns the inodes that the kernel may hold and that the tree does not show. A removed directory may have
 * returned under its old id, and is then left out.
 */
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
 * Returns the number of files that the guard compares with after a change of the filters: how many files of
 * the kept tree the new filters show. Files that the new filters exclude were not deleted. The number is at
 * least one if the tree had any file, so that filters that show nothing are held like an empty listing.
 * Earlier trees do not count: of them only the numbers of files are known, which do not say what the new
 * filters would show.
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
