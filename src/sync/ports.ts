import type {
  AdoptedObjects,
  ContentVersion,
  Generation,
  GenerationChanges,
  Problem,
} from '../tree/index.ts';
import type { Instant } from './instant.ts';
import type { NextRecords } from './records.ts';

/** Time and chance, handed in so that tests decide them. */
export interface Clock {
  /** Milliseconds since the epoch, with a fraction where the platform has one. May step, both ways. */
  now(): number;
  /** Rejects with the signal's reason when it is aborted before the time is over. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

/** The part of pino that is used here. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One complete listing; its rows stay with the lister. */
export interface Listed {
  /** Over key, ETag and size of every object, in order: equal digests are equal listings. */
  readonly digest: string;
  readonly objects: number;
  /** Requests to the store that it took. */
  readonly requests: number;
}

export interface Built {
  readonly generation: Generation;
  /** Undefined without a previous generation. */
  readonly changes: GenerationChanges | undefined;
  readonly problems: readonly Problem[];
  /** How many more there are, by reason: of each only so many are named. */
  readonly unnamedProblems?: ReadonlyMap<string, number>;
  /** The lowest node id that was not handed out. */
  readonly nextNodeId: number;
}

/** The source of listings and of the trees made of them (the listing worker). */
export interface Lister {
  /** All pages, or it rejects with the store's error. */
  list(options: { readonly signal: AbortSignal }): Promise<Listed>;
  /** Builds the tree of the newest listing. Nothing is published by it: the same ids may be handed out again. */
  build(options: {
    readonly previous: Generation | undefined;
    /** Removed directories by path, whose node ids the kernel may still hold. */
    readonly tombstones: ReadonlyMap<string, number>;
    readonly nextNodeId: number;
    /** What was found, when it was fetched, in the place of what was listed. */
    readonly adopted?: AdoptedObjects;
    readonly signal: AbortSignal;
  }): Promise<Built>;
}

/** Where content ended up: a blob on disk under that stamp, or bytes that the disk could not take. */
export type Located =
  | { readonly kind: 'local'; readonly stamp: bigint }
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
  adopt(
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

/** A generation and its stamps, as the session takes it. */
export interface Publication {
  readonly generation: Generation;
  /** Over a SharedArrayBuffer, one an entry; 0n: the content is not known to be local. */
  readonly stamps: BigUint64Array;
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

/** A node of an earlier tree that the kernel may still hold, as it was shown. */
export interface ReplacedNode {
  readonly nodeId: number;
  readonly directory: boolean;
  readonly archived: boolean;
  readonly executable: boolean;
  readonly parentId: number;
  readonly path: string;
  /** Of a file. */
  readonly version: ContentVersion | undefined;
  /** The store's date, seconds since the epoch; 0 for a directory, and where it is not known. */
  readonly lastModified: number;
  /** Since the epoch; of a directory that went with the publication itself undefined: its instant. */
  readonly mtime: Instant | undefined;
}

/** What must outlive the process before an id of the generation reaches the kernel. */
export interface TakeoverState extends NextRecords {
  readonly generation: Generation;
  readonly changes: GenerationChanges | undefined;
  /** Of the listing that it shows; undefined where something in it was not listed so. */
  readonly digest: string | undefined;
  /** Removed directories by path, those that this publication removes among them. */
  readonly tombstones: ReadonlyMap<string, number>;
  /** What the kernel may hold of earlier trees, this publication's among them. */
  readonly replaced: Iterable<ReplacedNode>;
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
   * The mtimes too: the generation is stamped. Short; from here on a successor takes the new state. May be called
   * again, with a later instant.
   */
  commit(instant: Instant): Promise<void>;
  /** The kernel has answered every notification: a successor need not send them again. */
  acknowledged(): void;
}
