import type { ReleaseStep } from '../source/source.ts';
import type { ContentVersion, Generation, GenerationChanges, Problem } from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { NextRecords } from './next-records.ts';
import type { ReplacedInode } from './replaced-inode.ts';

/** Where content ended up: a blob on disk under that fingerprint, or bytes that the disk could not take. */
export type Located =
  | { readonly kind: 'local'; readonly fingerprint: bigint }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array };

/** What is under a path now. */
export interface Found {
  readonly version: ContentVersion;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  /** Undefined: there is nothing to read, or it is over the limit, or too large to be fetched in one piece. */
  readonly located: Located | undefined;
}

/** `within` the prefetch bound: kept while shown. `past` it: kept while there is room. */
export type Bound = 'within' | 'past';

/** What is used of the content cache. */
export interface ContentCachePort {
  /**
   * Makes one blob local: the whole file, or with `chunk` that part of one over CHUNK_BYTES. A recovered blob is
   * verified first. Rejects with the store's error (`changed`, `gone`, `unreachable`, ...), or when aborted.
   */
  ensure(
    version: ContentVersion,
    chunk: number | undefined,
    options: {
      readonly signal: AbortSignal;
      readonly priority: 'demand' | 'background';
      /** Rejects with `not-cached` instead of asking the store. */
      readonly localOnly?: boolean;
    },
  ): Promise<Located>;
  /**
   * Makes local what is under a path now, whatever version that is. It counts as shown within the bound from then
   * on, until `hide`. Rejects as `ensure` does; `gone` where there is nothing.
   */
  fetchCurrent(
    path: string,
    options: {
      readonly nameOf: (etag: string, size: number) => string;
      readonly limitBytes: number;
      readonly signal: AbortSignal;
    },
  ): Promise<Found>;
  has(version: ContentVersion, chunk?: number): boolean;
  /** May be said again, also with another bound. */
  show(version: ContentVersion, bound: Bound): void;
  /** Harmless for what is not shown. */
  hide(version: ContentVersion): void;
  /** Keeps a version's blobs until as many calls of `unpin`. */
  pin(name: string): void;
  unpin(name: string): void;
}

/** Contents that are about to be asked for in the background, one after another. */
export interface FetchPlan {
  /** Indices, in the order in which they are best asked for. */
  readonly order: Uint32Array;
  /** They are asked for no more. */
  end(): void;
}

/** Fetches contents that lie together by few requests, where it is told beforehand which. */
export interface FetchPlanner {
  plan(generation: Generation, wanted: Uint32Array): FetchPlan;
}

/** A generation and its fingerprints, as the session takes it. */
export interface Publication {
  readonly generation: Generation;
  /** Over a SharedArrayBuffer, one an entry; 0n: the content is not known to be local. */
  readonly fingerprints: BigUint64Array;
  /** Against the generation published before; undefined for the first. */
  readonly changes: GenerationChanges | undefined;
}

/** What shows a generation to the kernel (the session worker). */
export interface Presenter {
  /**
   * Swaps and notifies; resolves when the kernel has answered every notification, with the milliseconds that those
   * took where there was a tree before.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a presenter that has nothing to say just resolves
  publish(publication: Publication): Promise<{ readonly notifyMs: number } | void>;
  /**
   * After a publication, each node id it replaced or removed is named once: when the kernel holds it no
   * longer, or soon after the swap where it never did. Node ids that are shown are never named.
   */
  onReleased(callback: (nodeIds: readonly number[]) => void): void;
}

/** What must outlive the process before an id of the generation reaches the kernel. */
export interface TakeoverState extends NextRecords {
  readonly generation: Generation;
  readonly changes: GenerationChanges | undefined;
  /** Of the listing that it shows; undefined where something in it was not listed so. */
  readonly digest: string | undefined;
  readonly release?: ReleaseStep | undefined;
  /** Removed directories by path, those that this publication removes among them. */
  readonly removedDirectories: ReadonlyMap<string, number>;
  /** What the kernel may hold of earlier trees, this publication's among them. */
  readonly replaced: Iterable<ReplacedInode>;
  readonly problems: readonly Problem[];
}

/** Why what is shown would not, or not as it is, be there after the next start. */
export type PersistTrouble = 'state-unwritable' | 'cache-unwritable' | 'cache-full';

/**
 * Writes the state that a successor takes over, in two steps, since writing much takes longer than an instant may
 * be ahead of the swap: a crash between them leaves the old state in force. Never rejects because of a disk: what
 * is new is shown all the same, and `troubles` says so.
 */
export interface Persister {
  readonly troubles: readonly PersistTrouble[];
  /** Everything but the mtimes that this publication gives. */
  persist(state: TakeoverState): Promise<void>;
  /**
   * The mtimes too: the generation is dated. Short; from here on a successor takes the new state. May be called
   * again, with a later instant.
   */
  commit(instant: Instant): Promise<void>;
  /** The kernel has answered every notification: a successor need not send them again. */
  acknowledged(): void;
}
