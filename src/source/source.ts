import type { ShownSource } from '../config/shown-source.ts';
import type { AdoptedObjects, Generation, GenerationChanges, Problem } from '../tree/index.ts';
import type { ReleaseStep, SourceHold } from './release-step.ts';

export type { HeldListing, HeldStep, ReleaseStep, SourceHold } from './release-step.ts';

/** A tree that could be shown. The source keeps the data from which it can build the tree. */
export interface Candidate {
  /**
   * Candidates with equal digests are equal. For a listing: a digest over key, ETag and size of every object, in order.
   */
  readonly digest: string;
  /** For a listing: equal if the dates of all objects are equal too. */
  readonly dates?: string | undefined;
  readonly objects: number;
  /** How many requests to the store this took. */
  readonly requests: number;
  /** The step of a release. */
  readonly release?: ReleaseStep | undefined;
}

/** A candidate that must not be shown yet. */
export interface Armed {
  readonly candidate: Candidate;
  /** When it may be shown, in milliseconds since the epoch by this host's clock. */
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
  /** Whether the newest step cannot be stored: after a restart this node would follow an earlier one. */
  readonly isStepUnkept?: boolean | undefined;
};

export interface Built {
  readonly generation: Generation;
  /** Undefined without a previous generation. */
  readonly changes: GenerationChanges | undefined;
  readonly problems: readonly Problem[];
  /** The number of further problems by reason: only a limited number is listed. */
  readonly unnamedProblems?: ReadonlyMap<string, number>;
  /** The lowest node id that was not assigned. */
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
 * A source of trees. For each content version, a tree says where its bytes are: in `ContentVersion.place`, or else in
 * the object of its path.
 */
export interface Source {
  readonly kind: SourceKind;
  /** Finds the newest candidate. Rejects with the store's error. */
  look(options: { readonly signal: AbortSignal }): Promise<Look>;
  /**
   * Builds the tree of a candidate that a look returned and no later look withdrew; rejects for any other candidate.
   * This publishes nothing: the same node ids may be assigned again.
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
  /** Relative to the prefix. */
  readonly key: string;
  /**
   * Returns its ETag, or undefined if it still has the given one. Rejects with the store's error: `gone` if there is no
   * such object.
   */
  readonly look: (etag: string | undefined, signal: AbortSignal) => Promise<string | undefined>;
}
