import { createHash, verify } from 'node:crypto';
import { ReleaseError } from '../release-error.ts';
import { readPublicKey, type SshPublicKey } from './public-key.ts';
import { WireReader, wireString } from './wire-reader.ts';

/** A signature as `ssh-keygen -Y sign` makes it (OpenSSH's PROTOCOL.sshsig). */
export interface SshSignature {
  readonly key: SshPublicKey;
  readonly namespace: string;
  readonly reserved: Buffer;
  readonly hash: 'sha256' | 'sha512';
  readonly algorithm: string;
  readonly value: Buffer;
}

const MAGIC = 'SSHSIG';
const VERSION = 1;
const ARMOUR = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/;

/**
 * Reads an armoured signature, with the public key that it names. Does not check whether that key is trusted,
 * nor whether the signature belongs to any bytes.
 *
 * @throws {ReleaseError} `malformed` if it is no signature; `unsupported-key` for an unsupported public key
 */
export function readSignature(armoured: string): SshSignature {
  const body = ARMOUR.exec(armoured)?.[1];
  if (body === undefined) throw malformed('it is not armoured as ssh-keygen does it');
  const reader = new WireReader(Buffer.from(body, 'base64'), 'a signature');
  if (reader.raw(MAGIC.length).toString('latin1') !== MAGIC) throw malformed('it is no SSH signature');
  const version = reader.uint32();
  if (version !== VERSION) throw malformed(`it has version ${version}`);
  const key = readPublicKey(reader.string());
  const namespace = reader.text();
  const reserved = reader.string();
  const hash = reader.text();
  const signature = new WireReader(reader.string(), 'a signature');
  reader.end();
  if (hash !== 'sha256' && hash !== 'sha512') throw malformed('it is over a hash that SSH does not define');
  const algorithm = signature.text();
  const value = signature.string();
  signature.end();
  return { key, namespace, reserved, hash, algorithm, value };
}

/**
 * Checks that the signature's key made the signature over these bytes, in this namespace.
 *
 * @throws {ReleaseError} `bad-signature` if not; `malformed` if an ECDSA signature cannot be read
 */
export function checkSignature(signature: SshSignature, message: Uint8Array, namespace: string): void {
  if (signature.namespace !== namespace) {
    throw bad(`it was made for another purpose than "${namespace}"`);
  }
  const signed = Buffer.concat([
    Buffer.from(MAGIC, 'latin1'),
    wireString(signature.namespace),
    wireString(signature.reserved),
    wireString(signature.hash),
    wireString(createHash(signature.hash).update(message).digest()),
  ]);
  if (!isOver(signed, signature)) throw bad('it does not belong to these bytes and this key');
}

function isOver(signed: Buffer, { key, algorithm, value }: SshSignature): boolean {
  switch (key.type) {
    case 'ssh-ed25519':
      return algorithm === key.type && value.length === 64 && verify(null, signed, key.key, value);
    case 'ecdsa-sha2-nistp256':
      return (
        algorithm === key.type &&
        verify('sha256', signed, { key: key.key, dsaEncoding: 'ieee-p1363' }, ecdsaValue(value))
      );
    case 'ssh-rsa':
      // The algorithm ssh-rsa is refused, because it uses SHA-1.
      if (algorithm !== 'rsa-sha2-256' && algorithm !== 'rsa-sha2-512') return false;
      return verify(
        algorithm === 'rsa-sha2-256' ? 'sha256' : 'sha512',
        signed,
        key.key,
        rsaValue(value, key),
      );
    default: {
      const never: never = key.type;
      return never;
    }
  }
}

/** Converts an ECDSA signature: SSH encodes it as two integers; node:crypto requires 32 bytes for each. */
function ecdsaValue(value: Buffer): Buffer {
  const reader = new WireReader(value, 'an ECDSA signature');
  const numbers = [reader.unsigned(), reader.unsigned()];
  reader.end();
  const joined = Buffer.alloc(64);
  numbers.forEach((number, at) => {
    if (number.length > 32) throw malformed('a number of its ECDSA signature is too long');
    number.copy(joined, 32 * at + 32 - number.length);
  });
  return joined;
}

/** Pads an RSA signature: some signers omit leading zeros, which OpenSSL requires. */
function rsaValue(value: Buffer, { key }: SshPublicKey): Buffer {
  const length = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (value.length >= length) return value;
  return Buffer.concat([Buffer.alloc(length - value.length), value]);
}

function malformed(reason: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    `a signature cannot be read: ${reason}`,
    'Sign with ssh-keygen of OpenSSH 8.1 or later.',
  );
}

function bad(reason: string): ReleaseError {
  return new ReleaseError(
    'bad-signature',
    `a signature is not valid: ${reason}`,
    'Do not show this release: check which accounts can write below the release root, then deploy once more.',
  );
}
