import {
  type AllowedSigner,
  decodeEnvelope,
  decodePayload,
  digestOfPayload,
  type Envelope,
  ReleaseError,
  type ReleasePayload,
  type Signer,
  verifyEnvelope,
} from '../../release/index.ts';
import { type HeldStep, RefHeld, type RefHoldReason } from './ref-hold.ts';

/** A step of an environment, from an envelope that passed `judgeStep()`. It is not yet compared with earlier steps. */
export interface Step {
  readonly payload: ReleasePayload;
  /** SHA-256 of the payload. */
  readonly digest: string;
  /**
   * The signers whose signatures are valid. Empty if no file of allowed signers was given, so that no
   * signature is required.
   */
  readonly signedBy: readonly Signer[];
}

/** What judgeStep() compares an envelope with. It does not depend on earlier steps. */
export interface StepRules {
  /** The name of the release root. */
  readonly root: string;
  readonly environment: string;
  /**
   * Returns the allowed signers. Throws RefHeld `signers-file` if the file of signers cannot be used.
   * Undefined if no signatures are required.
   */
  readonly signers: (() => readonly AllowedSigner[]) | undefined;
}

/** How far the clock of a writer may be ahead of the store's clock. */
export const MOST_AHEAD_MS = 5 * 60 * 1000;

const WRITERS = 'Check which accounts can write below the release root; the next deploy replaces it.';

/**
 * Decodes an envelope from the store, and checks whether it holds a valid step for this node. Does not
 * compare the step with other steps.
 *
 * @param key the key of the envelope, for messages
 * @param now the store's time, in milliseconds since the epoch
 * @throws {RefHeld} if the envelope or the step is rejected
 */
export function judgeStep(bytes: Uint8Array, key: string, rules: StepRules, now: number): Step {
  const { envelope, payload, digest } = read(bytes, key);
  const step: HeldStep = { sequence: payload.sequence, release: payload.release, digest };
  const held = (reason: RefHoldReason, detail: string, hint: string): RefHeld =>
    new RefHeld(reason, key, detail, hint, step);
  if (payload.root !== rules.root) {
    throw held(
      'other-root',
      `${key} was made for ${payload.root}, not for ${rules.root}`,
      'If this bucket is a replica of that root, name it by --release-root; else the ref was copied here.',
    );
  }
  if (payload.environment !== rules.environment) {
    throw held(
      'other-environment',
      `${key} was made for the environment ${payload.environment}`,
      'It was copied here: put the right one back from log/, and check which accounts can write to refs/.',
    );
  }
  const signedBy = rules.signers === undefined ? [] : signersOf(envelope, rules.signers(), held);
  if (payload.created > now + MOST_AHEAD_MS) {
    throw held(
      'created-ahead',
      `${key} says that it was made at ${new Date(payload.created).toISOString()}, over 5 minutes from now`,
      'Set the clock of the host that deployed it, and deploy once more.',
    );
  }
  return { payload, digest, signedBy };
}

function read(
  bytes: Uint8Array,
  key: string,
): { readonly envelope: Envelope; readonly payload: ReleasePayload; readonly digest: string } {
  try {
    const envelope = decodeEnvelope(bytes);
    return {
      envelope,
      payload: decodePayload(envelope.payload),
      digest: digestOfPayload(envelope.payload),
    };
  } catch (error) {
    if (error instanceof ReleaseError)
      throw new RefHeld('damaged-ref', key, `${key}: ${error.message}`, WRITERS);
    throw error;
  }
}

function signersOf(
  envelope: Envelope,
  signers: readonly AllowedSigner[],
  held: (reason: RefHoldReason, detail: string, hint: string) => RefHeld,
): readonly Signer[] {
  try {
    return verifyEnvelope(envelope, signers).signedBy;
  } catch (error) {
    if (error instanceof ReleaseError) throw held('signature', error.message, error.hint);
    throw error;
  }
}
