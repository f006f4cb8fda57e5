import { CodedError } from '../base/coded-error.ts';

/**
 * - `malformed`: bytes are not a valid envelope, payload or manifest, or state something impossible
 * - `mismatch`: an object has another hash, size, root or environment than the document that names it states
 * - `bad-signature`: a signature does not belong to the bytes
 * - `unsupported-key`: dagmount cannot check a signature or a key of this kind
 * - `unknown-signer`: no allowed signer made any of the signatures
 * - `bad-signers-file`: the file of allowed signers cannot be used
 */
export type ReleaseErrorCode =
  | 'malformed'
  | 'mismatch'
  | 'bad-signature'
  | 'unsupported-key'
  | 'unknown-signer'
  | 'bad-signers-file';

/** A release, or a file about releases, is invalid. The message says what is wrong, the hint what to do. */
export class ReleaseError extends CodedError<ReleaseErrorCode> {
  override readonly name = 'ReleaseError';
}
