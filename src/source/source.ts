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
  /** For a listing: a digest over the dates of all objects. */
  readonly dates?: string | undefined;
  readonly objects: number;
  /** How many requests to the store the look took that found this candidate. */
  readonly requests: number;
  /** For a release: the step that put it in force. */
  readonly release?: ReleaseStep | undefined;
}

/** A candidate that must not be shown yet. */
export interface Armed {
  readonly candidate: Candidate;
  /** When the candidate may be shown, in milliseconds since the epoch by this host's clock. */
  readonly at: number;
}

/** The result of one look at a source. */
export type Look = (
  | { readonly kind: 'candidate'; readonly candidate: Candidate }
  /** The source's content was rejected, so the shown tree stays. */
  | { readonly kind: 'held'; readonly hold: SourceHold }
  /** There is nothing to show before the armed candidate. */
  | { readonly kind: 'nothing' }
) & {
  readonly armed?: Armed | undefined;
  /** When the look began, in milliseconds since the epoch, if it began before it was asked for. */
  readonly beganAt?: number | undefined;
  /**
   * Whether the newest step cannot be stored. Then this node would follow an earlier step after a restart.
   */
  readonly isStepUnkept?: boolean | undefined;
};

export interface Built {
  readonly generation: Generation;
  /** The differences from the previous generation; undefined if there was none. */
  readonly changes: GenerationChanges | undefined;
  readonly problems: readonly Problem[];
  /** The number of problems that `problems` does not list, by reason: it lists only a limited number. */
  readonly unnamedProblems?: ReadonlyMap<string, number>;
  /** The lowest FUSE node id that was not assigned. */
  readonly nextNodeId: number;
}

export interface BuildOptions {
  /** The digest of the candidate to build. */
  readonly digest: string;
  readonly previous: Generation | undefined;
  /** The node ids of removed directories, by path. The kernel may still hold them. */
  readonly removedDirectories: ReadonlyMap<string, number>;
  readonly nextNodeId: number;
  /** Objects as a fetch found them, in place of the listed ones. */
  readonly adopted?: AdoptedObjects;
  readonly signal: AbortSignal;
}

export type SourceKind = ShownSource['kind'];

/**
 * A source of trees. For each content version, a tree says where its bytes are: at `ContentVersion.place` if
 * that is set, or else in the object under the version's path.
 */
export interface Source {
  readonly kind: SourceKind;
  /** Finds the newest candidate. Rejects with the store's error. */
  look(options: { readonly signal: AbortSignal }): Promise<Look>;
  /**
   * Builds the tree of a candidate that a look returned and no later look withdrew. Rejects for any other
   * candidate. Publishes nothing, so that the next build may assign the same node ids again.
   */
  build(options: BuildOptions): Promise<Built>;
  /**
   * Accepts the held step or listing that has this digest. Returns false if it is not held, or cannot be
   * accepted.
   */
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
   * Returns the object's ETag, or undefined if the object still has the given one. Rejects with the store's
   * error: `gone` if there is no such object.
   */
  readonly look: (etag: string | undefined, signal: AbortSignal) => Promise<string | undefined>;
}
