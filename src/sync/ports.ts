import type { CurrentContent, Located } from '../cache/fetch-current.ts';
import type { ReleaseStep } from '../source/source.ts';
import type { Stop } from '../store/stop.ts';
import type { ContentVersion, Generation, GenerationChanges, Problem } from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { NextRecords } from './next-records.ts';
import type { ReplacedInode } from './replaced-inode.ts';

export type { CurrentContent, Located };

/** `within` the prefetch bound: kept while shown. `past` it: kept while there is room. */
export type Bound = 'within' | 'past';

/** The part of the content cache that sync uses. */
export interface ContentCachePort {
  /**
   * Makes one blob local: the whole file, or with `chunk` that part of a file over CHUNK_BYTES. Verifies a recovered
   * blob first. Rejects with the store's error (`changed`, `gone`, `unreachable`, ...), or when aborted.
   */
  ensure(
    version: ContentVersion,
    chunk: number | undefined,
    options: {
      readonly signal: Stop;
      readonly priority: 'demand' | 'background';
      /** Rejects with `not-cached` instead of requesting it from the store. */
      readonly localOnly?: boolean;
    },
  ): Promise<Located>;
  /**
   * Makes the current version under a path local, whichever version that is. From then on, until `hide`, it counts as
   * shown within the bound. Rejects as `ensure` does; `gone` if there is no object.
   */
  fetchCurrent(
    path: string,
    options: {
      readonly nameOf: (etag: string, size: number) => string;
      readonly limitBytes: number;
      readonly signal: Stop;
    },
  ): Promise<CurrentContent>;
  has(version: ContentVersion, chunk?: number): boolean;
  /** May be called again, also with another bound. */
  show(version: ContentVersion, bound: Bound): void;
  /** No effect on a version that is not shown. */
  hide(version: ContentVersion): void;
  /** Keeps a version's blobs until `unpin` was called as often. */
  pin(name: string): void;
  unpin(name: string): void;
}

/** Contents that the background will request one after another. */
export interface FetchPlan {
  /** Indices, in the best order for requests. */
  readonly order: Uint32Array;
  /** No more requests of this plan follow. */
  end(): void;
}

/** Combines requests for contents stored next to each other, if it knows them in advance. */
export interface FetchPlanner {
  plan(generation: Generation, wanted: Uint32Array): FetchPlan;
}

/** A generation and its fingerprints, as passed to the session. */
export interface Publication {
  readonly generation: Generation;
  /** In a SharedArrayBuffer, one per entry; ABSENT: the content is not known to be local. */
  readonly fingerprints: BigUint64Array;
  /** Compared with the generation published before; undefined for the first. */
  readonly changes: GenerationChanges | undefined;
}

/** What shows a generation to the kernel (the session worker). */
export interface Presenter {
  /**
   * Swaps and notifies. Resolves when the kernel has answered every notification, with the milliseconds that the
   * notifications took if there was a tree before.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a presenter that has nothing to say just resolves
  publish(publication: Publication): Promise<{ readonly notifyMs: number } | void>;
  /**
   * After a publication, reports each replaced or removed node id once: when the kernel drops it, or soon after the
   * swap if the kernel never held it. Never reports node ids that are shown.
   */
  onReleased(callback: (nodeIds: readonly number[]) => void): void;
}

/** State that must survive the process before an id of the generation reaches the kernel. */
export interface TakeoverState extends NextRecords {
  readonly generation: Generation;
  readonly changes: GenerationChanges | undefined;
  /** The digest of the listing that it shows; undefined if a part of it was not listed so. */
  readonly digest: string | undefined;
  readonly release?: ReleaseStep | undefined;
  /** Removed directories by path, including those that this publication removes. */
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
 * Writes the state that a successor takes over, in two steps, because a large write takes longer than an instant may
 * be ahead of the swap. After a crash between the steps the old state is valid. Never rejects because of a disk: the
 * new tree is shown anyway, and `troubles` reports the failure.
 */
export interface Persister {
  readonly troubles: readonly PersistTrouble[];
  /** Writes everything except the mtimes of this publication. */
  persist(state: TakeoverState): Promise<void>;
  /**
   * Writes the mtimes: the generation is dated. Short; from here on a successor takes the new state. May be called
   * again, with a later instant.
   */
  commit(instant: Instant): Promise<void>;
  /** The kernel has answered every notification: a successor need not send them again. */
  acknowledged(): void;
}
