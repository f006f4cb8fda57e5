export { canonicalJson, parseCanonicalJson } from './canonical-json.ts';
export { compareCodePoints } from './code-points.ts';
export {
  decodeEnvelope,
  type Envelope,
  type EnvelopeSignature,
  encodeEnvelope,
  MOST_ENVELOPE_BYTES,
} from './envelope.ts';
export { Fields } from './fields.ts';
export {
  isCollectable,
  isDigest,
  isEnvironment,
  isReleaseId,
  releaseKeys,
  requireEnvironment,
  sequenceOfLogKey,
} from './layout.ts';
export {
  decodeManifest,
  encodeManifest,
  findConflict,
  isShowable,
  type Manifest,
  MOST_FILES,
  MOST_MANIFEST_BYTES,
  type ReleasedContent,
  type ReleasedFile,
  releaseId,
} from './manifest.ts';
export {
  decodePayload,
  digestOfPayload,
  encodePayload,
  LONGEST_ARMED_MS,
  type ReleaseAction,
  type ReleasePayload,
  wasWithdrawn,
} from './payload.ts';
export { ReleaseError, type ReleaseErrorCode } from './release-error.ts';
export { type AllowedSigner, MOST_SIGNERS_BYTES, readAllowedSigners } from './ssh/allowed-signers.ts';
export { NAMESPACE, type Signer, verifyEnvelope } from './verify.ts';
