/** Who put a release in force, when and why: what a node tells of the tree that it shows. */
export interface ReleaseStep {
  /** The environment. */
  readonly ref: string;
  readonly sequence: number;
  /** Of the release. */
  readonly id: string;
  readonly author: string;
  readonly message: string;
  readonly commit: string | undefined;
  readonly url: string | undefined;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Whose keys signed it, as the file of allowed signers has them; empty where nobody was asked for. */
  readonly signedBy: readonly { readonly fingerprint: string; readonly principals: string }[];
  /** Whether whoever deployed it said that many files go. */
  readonly allowsDeletions: boolean;
}

/** What a source has is not believed. */
export interface SourceHold {
  /** Stable: see RefHoldReason, and content that cannot be had or is another one. */
  readonly reason: string;
  /** One sentence of what is wrong; safe to show. */
  readonly detail: string;
  /** One sentence of what to do. */
  readonly hint: string;
  /** Undefined: it could not be read. Nothing of it is vouched for. */
  readonly step: HeldStep | undefined;
  /** Whether an operator may have it followed all the same. */
  readonly acceptable: boolean;
}

/** Which step is held. */
export interface HeldStep {
  readonly sequence: number;
  /** The id of the release. */
  readonly release: string;
  /** SHA-256 of its payload. */
  readonly digest: string;
}
