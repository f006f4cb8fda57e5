import { printable } from '../../base/printable.ts';
import type { HeldStep, SourceHold } from '../release-step.ts';

export type { HeldStep } from '../release-step.ts';

/**
 * Why a ref is not believed. Stable: status, metrics and alerts name them; docs/releases.md has a row for each.
 *
 * - `missing-ref`: the store has no such ref
 * - `damaged-ref`: it is not an envelope, or its payload is invalid
 * - `other-root`, `other-environment`: it was made for another root or environment, and copied here
 * - `signers-file`: the file of allowed signers cannot be used, so no signer is allowed
 * - `signature`: no allowed signer signed it
 * - `created-ahead`: it was made over five minutes from now, by the store's clock
 * - `created-back`: it says that it was made before the step that it follows
 * - `rolled-back`: a later step, or another one under the same number, was seen by this node or is in the log
 * - `below-min-seq`: its number is lower than --min-seq
 * - `broken-chain`: it follows another step than the one that this node, or the log, has
 * - `missing-log`: the log lacks the step that it follows, so its time cannot be checked
 * - `missing-manifest`, `damaged-manifest`: the manifest that it names is not there, or is not what it names
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

/** A ref that is not followed; the tree stays as it is. */
export interface RefHold {
  readonly reason: RefHoldReason;
  /** One sentence of what is wrong; safe to show. */
  readonly detail: string;
  /** One sentence of what to do. */
  readonly hint: string;
  /** The faulty key below the release root. */
  readonly key: string;
  /** The step of the ref, as far as its payload could be read. */
  readonly step: HeldStep | undefined;
  /** Whether `accept` may end the hold: an operator has restored the store, and wants this step. */
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
