import { parseJson } from './canonical-json.ts';
import { Fields } from './fields.ts';
import { MOST_PAYLOAD_BYTES } from './payload.ts';
import { ReleaseError } from './release-error.ts';

export interface EnvelopeSignature {
  /** The name of the claimed signer: a hint, because the signature does not cover this name. */
  readonly principal: string;
  /** An armoured SSHSIG over the payload's bytes. */
  readonly signature: string;
}

/** The content of a ref and of a log entry: the signed bytes, and the signatures. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

const MOST_SIGNATURES = 16;
/**
 * Enough for a payload in base64 and its signatures. A signature by an RSA key of 16,384 bits takes 6 KiB.
 */
export const MOST_ENVELOPE_BYTES = 2 * MOST_PAYLOAD_BYTES;

export function encodeEnvelope({ payload, signatures }: Envelope): Uint8Array {
  const document = {
    payload: Buffer.from(payload).toString('base64'),
    signatures: signatures.map(({ principal, signature }) => ({ principal, signature })),
  };
  return Buffer.from(`${JSON.stringify(document, undefined, 1)}\n`);
}

/**
 * Decodes an envelope. Checks neither payload nor signatures, so the result is untrusted: any writer to the
 * store can make an envelope.
 *
 * @throws {ReleaseError} `malformed`
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MOST_ENVELOPE_BYTES) throw malformed(`it is longer than ${MOST_ENVELOPE_BYTES} bytes`);
  const fields = new Fields(parseJson(bytes, 'the envelope'), 'the envelope');
  const payload = fields.bytes('payload', MOST_PAYLOAD_BYTES);
  const signatures = fields.list('signatures', MOST_SIGNATURES).map((value) => {
    const signature = new Fields(value, 'a signature of the envelope');
    const read = { principal: signature.text('principal'), signature: signature.text('signature') };
    signature.end();
    return read;
  });
  fields.end();
  return { payload, signatures };
}

function malformed(message: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    `the envelope says what cannot be: ${message}`,
    'Check which accounts can write below the release root, and deploy once more.',
  );
}
