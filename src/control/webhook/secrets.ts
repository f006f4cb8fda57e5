import { createHash } from 'node:crypto';
import { HostError } from '../../host/host-error.ts';
import { readTrustedFile } from '../../host/own-file.ts';
import { ControlError } from '../control-error.ts';

/** One line of the file. */
export interface Secret {
  /** Signs bodies. */
  readonly key: Buffer;
  /** SHA-256 of it as a bearer token: digests of equal length are compared, which tells nothing of the token's. */
  readonly tokenDigest: Buffer;
}

const MOST_BYTES = 64 * 1024;
/** Both sides of a change, and then some: each costs one more HMAC of each body. */
const MOST_SECRETS = 4;
/** Of a secret: a shorter one could be guessed from one signed body, off line. */
const LEAST_BYTES = 16;
/** The file is read again after this time: a flood of requests reads it once. */
const FRESH_MS = 1_000;

/**
 * The secrets of a file, one a line, read again when it is used: while a secret is changed the file holds the old and
 * the new one. A file that cannot be used proves nothing: one that is missing for a moment must not let everybody in.
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

  /** Says nothing of what the file holds. */
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
