import type { AdoptedObjects, Generation, GenerationChanges, Problem } from '../tree/index.ts';

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
    readonly removedDirectories: ReadonlyMap<string, number>;
    readonly nextNodeId: number;
    /** What was found, when it was fetched, in the place of what was listed. */
    readonly adopted?: AdoptedObjects;
    readonly signal: AbortSignal;
  }): Promise<Built>;
}

/** One small object whose ETag changes when there is something new to list. */
export interface WatchedKey {
  /** Below the prefix. */
  readonly key: string;
  /**
   * Its ETag; undefined: it still has the one given. Rejects with the store's error, `gone` where there is no such
   * object.
   */
  readonly look: (etag: string | undefined, signal: AbortSignal) => Promise<string | undefined>;
}
