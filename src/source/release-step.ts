/**
 * The step (a deploy, roll-back or promotion) that put the shown release in force in its environment, as a
 * node reports it: author, time and reason.
 */
export interface ReleaseStep {
  /** The name of the environment. */
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
  /**
   * The signers of the step: the fingerprint of the key, and the names in the file of allowed signers. Empty
   * if no signature is required.
   */
  readonly signedBy: readonly { readonly fingerprint: string; readonly principals: string }[];
  /** Whether the deployer allowed a mass deletion. */
  readonly allowsDeletions: boolean;
}

/** Why the source's content was rejected. The shown tree stays as long as this hold lasts. */
export interface SourceHold {
  /**
   * A stable code: one of RefHoldReason, or `standby-behind` if a standby source has an older tree than the
   * shown one.
   */
  readonly reason: string;
  /** One sentence that says what is wrong; safe to show. */
  readonly detail: string;
  /** One sentence that says what to do. */
  readonly hint: string;
  /**
   * The rejected step, of which no part is verified. Undefined if it could not be read, or if a listing is
   * held.
   */
  readonly step: HeldStep | undefined;
  /** The rejected listing. Undefined if a step is held. */
  readonly listing?: HeldListing | undefined;
  /** Whether an operator may accept the step or the listing, so that it is shown all the same. */
  readonly acceptable: boolean;
}

/** Which step is held. */
export interface HeldStep {
  readonly sequence: number;
  /** The id of the release. */
  readonly release: string;
  /** SHA-256 of the step's payload. */
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
