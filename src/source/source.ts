import type { ShownSource } from '../config/shown-source.ts';
import type { AdoptedObjects, Generation, GenerationChanges, Problem } from '../tree/index.ts';
import type { ReleaseStep, SourceHold } from './release-step.ts';

export type { HeldListing, HeldStep, ReleaseStep, SourceHold } from './release-step.ts';

/** A tree that could be shown; what it is made of stays with the source. */
export interface Candidate {
  /** Equal digests are equal candidates. Of a listing: over key, ETag and size of every object, in order. */
  readonly digest: string;
  /** Of a listing: equal where the date of every object is equal, too. */
  readonly dates?: string | undefined;
  readonly objects: number;
  /** Requests to the store that it took. */
  readonly requests: number;
  /** The step of a release. */
  readonly release?: ReleaseStep | undefined;
}

/** A candidate that must not be shown yet. */
export interface Armed {
  readonly candidate: Candidate;
  /** When it is, milliseconds since the epoch by this host's clock. */
  readonly at: number;
}

/** The result of one look at a source. */
export type Look = (
  | { readonly kind: 'candidate'; readonly candidate: Candidate }
  /** The source's content was rejected: the tree stays. */
  | { readonly kind: 'held'; readonly hold: SourceHold }
  /** Nothing must be shown before the armed candidate. */
  | { readonly kind: 'nothing' }
) & {
  readonly armed?: Armed | undefined;
  /** The newest step cannot be kept: after a restart this node would follow an earlier one. */
  readonly isStepUnkept?: boolean | undefined;
};

export interface Built {
  readonly generation: Generation;
  /** Undefined without a previous generation. */
  readonly changes: GenerationChanges | undefined;
  readonly problems: readonly Problem[];
  /** The number of further problems by reason: only a limited number is listed. */
  readonly unnamedProblems?: ReadonlyMap<string, number>;
  /** The lowest node id that was not handed out. */
  readonly nextNodeId: number;
}

export interface BuildOptions {
  /** The digest of the candidate to build. */
  readonly digest: string;
  readonly previous: Generation | undefined;
  /** Removed directories by path, whose node ids the kernel may still hold. */
  readonly removedDirectories: ReadonlyMap<string, number>;
  readonly nextNodeId: number;
  /** Objects as they were fetched, which replace those that were listed. */
  readonly adopted?: AdoptedObjects;
  readonly signal: AbortSignal;
}

export type SourceKind = ShownSource['kind'];

/**
 * Where trees come from. The trees say for each content version where its bytes are: `ContentVersion.place`, or else the
 * object of its path.
 */
export interface Source {
  readonly kind: SourceKind;
  /** The newest that there is. Rejects with the store's error. */
  look(options: { readonly signal: AbortSignal }): Promise<Look>;
  /**
   * Builds the tree of a candidate that a look gave and none since took away; of another one it rejects. Nothing is
   * published by it: the same ids may be handed out again.
   */
  build(options: BuildOptions): Promise<Built>;
  /** Accepts a held step or listing, by its digest. False if it is not held, or cannot be accepted. */
  accept(digest: string, options: { readonly signal: AbortSignal }): Promise<boolean>;
}

/** A build was requested of a candidate that the source does not have (any more). */
export class NoCandidate extends Error {
  constructor(digest: string) {
    super(`there is no candidate ${digest} to build`);
    this.name = 'NoCandidate';
  }
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
