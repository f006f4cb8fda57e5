import { printable } from '../../base/printable.ts';
import type { HeldStep, SourceHold } from '../release-step.ts';

export type { HeldStep } from '../release-step.ts';

/**
 * Why a ref (the object that holds the newest step of an environment) is rejected. The codes are stable,
 * because status, metrics and alerts contain them. docs/releases.md has a row for each.
 *
 * - `missing-ref`: the store has no such ref
 * - `damaged-ref`: the ref is too long or not an envelope, or its payload is invalid
 * - `other-root`, `other-environment`: the step was made for another root or environment, and copied here
 * - `signers-file`: the file of allowed signers cannot be used, so no signer is allowed
 * - `signature`: no allowed signer signed the step
 * - `created-ahead`: the step was made over five minutes from now, by the store's clock
 * - `created-back`: the step says that it was made before the step that it follows
 * - `rolled-back`: this node has seen, or the log has, a later step or another step under the same number
 * - `below-min-seq`: the number of the step is lower than --min-seq
 * - `broken-chain`: the step follows another step than the one that this node, or the log, has
 * - `missing-log`: the log lacks the step that this step follows, so its time cannot be checked
 * - `missing-manifest`, `damaged-manifest`: the manifest that the step names is not in the store, or is not
 *   what the step names
 */
export type RefHoldReason =
  | 'missing-ref'
  | 'damaged-ref'
  | 'other-root'
  | 'other-environment'
  | 'signers-file'
  | 'signature'
  | 'created-ahead'
  | 'created-back'
  | 'rolled-back'
  | 'below-min-seq'
  | 'broken-chain'
  | 'missing-log'
  | 'missing-manifest'
  | 'damaged-manifest';

/** A ref that is rejected, so that the shown tree stays as it is. */
export interface RefHold {
  readonly reason: RefHoldReason;
  /** One sentence that says what is wrong; safe to show. */
  readonly detail: string;
  /** One sentence that says what to do. */
  readonly hint: string;
  /** The faulty key below the release root. */
  readonly key: string;
  /** The step of the ref; undefined if its payload could not be read. */
  readonly step: HeldStep | undefined;
  /**
   * Whether `dagmount accept` can end the hold, if an operator has restored the store and wants this step.
   */
  readonly acceptable: boolean;
}

export function holdOf({ reason, detail, hint, step, acceptable }: RefHold): SourceHold {
  return { reason, detail, hint, step, acceptable };
}

const ACCEPTABLE: ReadonlySet<RefHoldReason> = new Set(['rolled-back', 'broken-chain', 'created-back']);

/** Thrown to end the judging of a ref. */
export class RefHeld extends Error {
  override readonly name = 'RefHeld';
  readonly hold: RefHold;

  constructor(reason: RefHoldReason, key: string, detail: string, hint: string, step?: HeldStep) {
    // The detail may quote text that any writer to the store can choose.
    const shown = printable(detail, 500);
    super(shown);
    this.hold = { reason, key, detail: shown, hint, step, acceptable: ACCEPTABLE.has(reason) };
  }
}
