import { printable } from '../base/printable.ts';
import { compareCodePoints } from './code-points.ts';
import type { Envelope } from './envelope.ts';
import { decodePayload, type ReleasePayload } from './payload.ts';
import { ReleaseError } from './release-error.ts';
import { type AllowedSigner, findSigner } from './ssh/allowed-signers.ts';
import { checkSignature, readSignature } from './ssh/signature.ts';

/** The namespace of release signatures. A signature for another namespace does not count. */
export const NAMESPACE = 'dagmount';

/**
 * A signer, as the file of allowed signers names it. The name in the envelope is not used, because it is not
 * signed.
 */
export interface Signer {
  /** The fingerprint of the key, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
  /** The patterns of names in the signer's line of the file. */
  readonly principals: string;
}

/**
 * Verifies the signatures of an envelope. Returns the payload, and the allowed signers that signed it. A
 * payload without an allowed signer must not be shown.
 *
 * @throws {ReleaseError} `malformed` if the payload is invalid; `unknown-signer`, with what is wrong with
 *   each signature, if no allowed signer signed it
 */
export function verifyEnvelope(
  envelope: Envelope,
  signers: readonly AllowedSigner[],
): { readonly payload: ReleasePayload; readonly signedBy: readonly Signer[] } {
  const payload = decodePayload(envelope.payload);
  const found = new Map<string, Signer>();
  const reasons: string[] = [];
  for (const { principal, signature } of envelope.signatures) {
    try {
      const read = readSignature(signature);
      const signer = findSigner(signers, read.key, {
        principal,
        namespace: NAMESPACE,
        created: payload.created,
      });
      if (signer === undefined) {
        reasons.push(
          `${read.key.fingerprint} was not allowed to sign as ${printable(principal, 200)} at that time`,
        );
        continue;
      }
      checkSignature(read, envelope.payload, NAMESPACE);
      const { fingerprint } = read.key;
      found.set(fingerprint, { fingerprint, principals: signer.principals });
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      reasons.push(error.message);
    }
  }
  if (found.size === 0) throw unknownSigner(payload, reasons);
  const signedBy = [...found.values()].sort((one, other) =>
    compareCodePoints(one.fingerprint, other.fingerprint),
  );
  return { payload, signedBy };
}

function unknownSigner({ environment, sequence }: ReleasePayload, reasons: readonly string[]): ReleaseError {
  const why = reasons.length === 0 ? 'it has no signature' : reasons.join('; ');
  return new ReleaseError(
    'unknown-signer',
    `no allowed signer has signed step ${sequence} of ${environment}: ${why}`,
    'Deploy with --sign and a key that --allowed-signers names, or add the key to that file.',
  );
}
