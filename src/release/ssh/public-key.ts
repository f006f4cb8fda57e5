import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { ReleaseError } from '../release-error.ts';
import { WireReader } from './wire-reader.ts';

export type KeyType = 'ssh-ed25519' | 'ecdsa-sha2-nistp256' | 'ssh-rsa';

/** A public key as SSH writes it. */
export interface SshPublicKey {
  readonly type: KeyType;
  /** The key in SSH's encoding. Keys are equal if these bytes are equal. */
  readonly blob: Buffer;
  readonly key: KeyObject;
  /** As `ssh-keygen -l` shows it: `SHA256:` and base64. */
  readonly fingerprint: string;
}

/**
 * OpenSSH accepts 1,024 bits, but NIST SP 800-131A has disallowed less than 2,048 for signatures since 2014.
 */
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 16_384;

/**
 * Reads a public key.
 *
 * @throws {ReleaseError} `malformed` if the bytes are no key; `unsupported-key` for another type or a short
 *   RSA key
 */
export function readPublicKey(blob: Buffer): SshPublicKey {
  const reader = new WireReader(blob, 'a public key');
  const type = reader.text();
  const jwk = webKey(type, reader);
  reader.end();
  const fingerprint = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return { type: type as KeyType, blob, key: imported(jwk, type), fingerprint: `SHA256:${fingerprint}` };
}

function webKey(type: string, reader: WireReader): JsonWebKey {
  switch (type) {
    case 'ssh-ed25519': {
      const point = reader.string();
      if (point.length !== 32) throw malformed('an ed25519 key has 32 bytes');
      return { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
    }
    case 'ecdsa-sha2-nistp256': {
      const curve = reader.text();
      const point = reader.string();
      if (curve !== 'nistp256' || point.length !== 65 || point[0] !== 4) {
        throw malformed('an ECDSA key on P-256 is an uncompressed point of that curve');
      }
      const [x, y] = [point.subarray(1, 33), point.subarray(33)];
      return { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
    }
    case 'ssh-rsa': {
      const exponent = reader.unsigned();
      const modulus = reader.unsigned();
      const bits = modulus.length * 8;
      if (bits < LEAST_RSA_BITS) throw unsupported(`an RSA key of fewer than ${LEAST_RSA_BITS} bits`);
      if (bits > MOST_RSA_BITS || exponent.length === 0 || exponent.length > 8)
        throw malformed('an RSA key of such a size');
      return { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') };
    }
    default:
      throw unsupported(`a key of type ${/^[\x20-\x7e]{1,64}$/.test(type) ? type : 'unknown'}`);
  }
}

function imported(jwk: JsonWebKey, type: string): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // For example, the point is not on its curve.
    throw malformed(`it is no ${type} key`);
  }
}

function malformed(reason: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    `a public key cannot be read: ${reason}`,
    'Copy the line of the .pub file that ssh-keygen made.',
  );
}

function unsupported(what: string): ReleaseError {
  return new ReleaseError(
    'unsupported-key',
    `dagmount does not check signatures by ${what}`,
    'Sign with a key of type ed25519, ECDSA on P-256, or RSA with 2,048 bits or more.',
  );
}
