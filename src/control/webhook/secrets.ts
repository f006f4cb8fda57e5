import { createHash } from 'node:crypto';
import { HostError } from '../../host/host-error.ts';
import { readTrustedFile } from '../../host/own-file.ts';
import { ControlError } from '../control-error.ts';

/** A secret: one line of the file. */
export interface Secret {
  /** The key for the signatures of bodies. */
  readonly key: Buffer;
  /**
   * SHA-256 of the secret as a bearer token. All digests have the same length, so comparing them does not
   * disclose the token's length.
   */
  readonly tokenDigest: Buffer;
}

const MOST_BYTES = 64 * 1024;
/**
 * Maximum number of secrets: the old and the new secret, and two more. Each secret costs one more HMAC of
 * each body.
 */
const MOST_SECRETS = 4;
/** Minimum length of a secret: a shorter one could be guessed offline from one signed body. */
const LEAST_BYTES = 16;
/** The file is read again only after this time, so that a flood of requests does not read it each time. */
const FRESH_MS = 1_000;

/**
 * Reads the secrets of a file, one per line. Reads the file again when the secrets are used; during a change,
 * the file has the old and the new secret. With an unusable file, no request can be proven, so that a file
 * that is missing for a moment does not admit every client.
 */
export class WebhookSecrets {
  readonly #path: string;
  readonly #now: () => number;
  #read: { readonly at: number; readonly secrets: readonly Secret[] | ControlError } | undefined;

  /** @param now milliseconds, on a clock that never goes back */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** @throws {ControlError} `secret-unusable` */
  current(): readonly Secret[] {
    const now = this.#now();
    if (this.#read === undefined || now - this.#read.at >= FRESH_MS) {
      this.#read = { at: now, secrets: this.#readFile() };
    }
    const { secrets } = this.#read;
    if (secrets instanceof ControlError) throw secrets;
    return secrets;
  }

  #readFile(): readonly Secret[] | ControlError {
    try {
      const lines = readTrustedFile(this.#path, MOST_BYTES)
        .toString('utf8')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
      if (lines.length === 0) return this.#unusable('it holds no secret');
      if (lines.length > MOST_SECRETS) return this.#unusable(`it has more than ${MOST_SECRETS} lines`);
      const short = lines.findIndex((line) => Buffer.byteLength(line) < LEAST_BYTES);
      if (short >= 0) return this.#unusable(`line ${short + 1} has less than ${LEAST_BYTES} bytes`);
      return lines.map((line) => ({ key: Buffer.from(line), tokenDigest: digestOf(line) }));
    } catch (error) {
      if (error instanceof HostError) return this.#unusable(error.message);
      throw error;
    }
  }

  /** Creates an error whose message discloses nothing of the file's content. */
  #unusable(why: string): ControlError {
    return new ControlError(
      'secret-unusable',
      `The secrets of --webhook-secret-file ${this.#path} cannot be used: ${why}.`,
      `Write one secret a line, such as openssl rand -hex 32 prints, into a file of root or of the user who mounts.`,
    );
  }
}

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
