import { createHmac, type Hmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { digestOf, type Secret } from './secrets.ts';

/** The part of a request that proves knowledge of a secret. */
export type Proof =
  | { readonly kind: 'token'; readonly digest: Buffer }
  /** HMAC SHA-256 of the body, as GitHub sends it. */
  | { readonly kind: 'signature'; readonly signature: Buffer };

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;
const BEARER = /^bearer +([\x21-\x7e]{1,512})$/i;

/**
 * Returns the proof in the headers of a request; undefined if there is none that could be checked. Prefers a
 * signature to a token, because a signature also proves the body.
 */
export function proofOf(headers: IncomingHttpHeaders): Proof | undefined {
  const signed = headers['x-hub-signature-256'];
  const [, hex] = SIGNATURE.exec(typeof signed === 'string' ? signed : '') ?? [];
  if (hex !== undefined) return { kind: 'signature', signature: Buffer.from(hex, 'hex') };
  // A request with a malformed signature must not be accepted because of its token.
  if (signed !== undefined) return undefined;
  const [, token] = BEARER.exec(headers.authorization ?? '') ?? [];
  return token === undefined ? undefined : { kind: 'token', digest: digestOf(token) };
}

/**
 * Whether a digest is that of a secret. Always compares with every secret, so that the duration discloses
 * none of them.
 */
export function isTokenOf(digest: Buffer, secrets: readonly Secret[]): boolean {
  return secrets.filter(({ tokenDigest }) => timingSafeEqual(digest, tokenDigest)).length > 0;
}

/** Computes the signatures of a body by all secrets. Hashes the body as it arrives, and keeps none of it. */
export class BodySignatures {
  readonly #all: readonly Hmac[];

  constructor(secrets: readonly Secret[]) {
    this.#all = secrets.map(({ key }) => createHmac('sha256', key));
  }

  update(bytes: Uint8Array): void {
    for (const each of this.#all) each.update(bytes);
  }

  /** Whether a signature is one of these. May be called only once, after the whole body. */
  includes(signature: Buffer): boolean {
    return this.#all.filter((each) => timingSafeEqual(each.digest(), signature)).length > 0;
  }
}
