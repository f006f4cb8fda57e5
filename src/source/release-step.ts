/** The step behind a shown release, as a node reports it: author, time and reason. */
export interface ReleaseStep {
  /** The environment. */
  readonly ref: string;
  readonly sequence: number;
  /** The id of the release. */
  readonly id: string;
  readonly author: string;
  readonly message: string;
  readonly commit: string | undefined;
  readonly url: string | undefined;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** The signers' names in the file of allowed signers; empty if no signature is required. */
  readonly signedBy: readonly { readonly fingerprint: string; readonly principals: string }[];
  /** Whether the deployer allowed a mass deletion. */
  readonly allowsDeletions: boolean;
}

/** The source's content was rejected. */
export interface SourceHold {
  /** Stable: see RefHoldReason; others are for content that cannot be read, or is not the named content. */
  readonly reason: string;
  /** One sentence of what is wrong; safe to show. */
  readonly detail: string;
  /** One sentence of what to do. */
  readonly hint: string;
  /** No part of it is verified. Undefined if the step could not be read, or if a listing is held. */
  readonly step: HeldStep | undefined;
  /** Undefined if a step is held. */
  readonly listing?: HeldListing | undefined;
  /** Whether an operator may accept it, so that it is followed all the same. */
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

/** Which listing is held, and what it would show. */
export interface HeldListing {
  /** The digest of the candidate. */
  readonly digest: string;
  readonly files: number;
  /** Files of the shown tree that the listing lacks. */
  readonly removed: number;
}
