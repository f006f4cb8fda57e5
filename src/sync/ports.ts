import type { CurrentContent, Located } from '../cache/fetch-current.ts';
import type { ReleaseStep } from '../source/source.ts';
import type { Stop } from '../store/stop.ts';
import type { ContentVersion, Generation, GenerationChanges, Problem } from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { NextRecords } from './next-records.ts';
import type { ReplacedInode } from './replaced-inode.ts';

export type { CurrentContent, Located };

/**
 * Content `within` the prefetch bound is kept while it is shown. Content `past` the bound is kept while there
 * is room.
 */
export type Bound = 'within' | 'past';

/** The part of the content cache that sync uses. */
export interface ContentCachePort {
  /**
   * Makes one blob local: the whole file, or with `chunk` that part of a file over CHUNK_BYTES. Verifies a
   * recovered blob first. Rejects with the store's error (`changed`, `gone`, `unreachable`, ...), or when
   * aborted.
   */
  ensure(
    version: ContentVersion,
    chunk: number | undefined,
    options: {
      readonly signal: Stop;
      readonly priority: 'demand' | 'background';
      /** Whether to reject with `not-cached` instead of requesting the blob from the store. */
      readonly localOnly?: boolean;
    },
  ): Promise<Located>;
  /**
   * Fetches the current version under a path, whichever version that is. Does not read an object over
   * `limitBytes`, or one that is kept in chunks. From then on, until `hide`, the version counts as shown
   * within the bound. Rejects as `ensure` does; with `gone` if there is no object.
   */
  fetchCurrent(
    path: string,
    options: {
      readonly nameOf: (etag: string, size: number) => string;
      readonly limitBytes: number;
      readonly signal: Stop;
    },
  ): Promise<CurrentContent>;
  has(version: Pick<ContentVersion, 'name'>, chunk?: number): boolean;
  /** Records that a version is shown. May be called again, also with another bound. */
  show(version: Pick<ContentVersion, 'name'>, bound: Bound): void;
  /** Records that a version is not shown any more. Has no effect on a version that is not shown. */
  hide(version: ContentVersion): void;
  /** Keeps a version's blobs until `unpin` has been called as often as `pin`. */
  pin(name: string): void;
  unpin(name: string): void;
}

/** Contents that background fetches will request one after another. */
export interface FetchPlan {
  /** Indices of entries, in the best order for requests. */
  readonly order: Uint32Array;
  /** Ends the plan, after which no more requests of it follow. */
  end(): void;
}

/** Combines requests for contents that are stored next to each other, if it knows the contents in advance. */
export interface FetchPlanner {
  plan(generation: Generation, wanted: Uint32Array): FetchPlan;
}

/** A generation and its fingerprints, as passed to the session. */
export interface Publication {
  readonly generation: Generation;
  /** In a SharedArrayBuffer, one per entry; ABSENT: the content is not known to be local. */
  readonly fingerprints: BigUint64Array;
  /** How the generation differs from the one published before; undefined for the first one. */
  readonly changes: GenerationChanges | undefined;
}

/** What shows a generation to the kernel (the session worker). */
export interface Presenter {
  /**
   * Swaps to the generation, and notifies the kernel. Resolves when the kernel has answered every
   * notification. If there was a tree before, resolves with the milliseconds that the notifications took.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a presenter that has nothing to say just resolves
  publish(publication: Publication): Promise<{ readonly notifyMs: number } | void>;
  /**
   * After a publication, reports each replaced or removed node id once: when the kernel drops it, or soon after the
   * swap if the kernel never held it. Never reports node ids that are shown.
   */
  onReleased(callback: (nodeIds: readonly number[]) => void): void;
}

/**
 * The state that must be stored before a node id of the generation reaches the kernel, so that it survives
 * the process.
 */
export interface TakeoverState extends NextRecords {
  readonly generation: Generation;
  readonly changes: GenerationChanges | undefined;
  /**
   * The digest of the listing that the generation shows; undefined if some of its content differs from what
   * was listed.
   */
  readonly digest: string | undefined;
  readonly release?: ReleaseStep | undefined;
  /** The node ids of removed directories, by path, including those that this publication removes. */
  readonly removedDirectories: ReadonlyMap<string, number>;
  /** What the kernel may hold of earlier trees, including nodes that this publication replaces. */
  readonly replaced: Iterable<ReplacedInode>;
  readonly problems: readonly Problem[];
}

/**
 * Why the shown tree might be missing or incomplete after the next start, or, for a release, why an earlier step might
 * be followed.
 */
export type PersistTrouble = 'state-unwritable' | 'cache-unwritable' | 'cache-full' | 'state-dir-unwritable';

/**
 * Writes the state that a successor takes over. It does so in two steps, because the instant of the mtimes is
 * chosen shortly before the swap, which is too late for a large write. After a crash between the steps the
 * old state is valid. Never rejects because of a disk: the new tree is shown anyway, and `troubles` reports
 * the failure.
 */
export interface Persister {
  readonly troubles: readonly PersistTrouble[];
  /** Writes everything except the mtimes of this publication. */
  persist(state: TakeoverState): Promise<void>;
  /**
   * Writes the mtimes, which the generation has by now. Takes little time. From here on a successor takes the
   * new state. May be called again, with a later instant.
   */
  commit(instant: Instant): Promise<void>;
  /**
   * Call this when the kernel has answered every notification, so that a successor need not send them again.
   */
  acknowledged(): void;
}
