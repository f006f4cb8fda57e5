import { HostError } from '../../host/host-error.ts';
import { readTrustedFile } from '../../host/own-file.ts';
import {
  type AllowedSigner,
  MOST_SIGNERS_BYTES,
  ReleaseError,
  readAllowedSigners,
} from '../../release/index.ts';
import { RefHeld } from './ref-hold.ts';

/**
 * The file of allowed signers. It is read again each time, so that removing a line takes effect at the next look. If
 * the file cannot be used, no signer is allowed: a file that is missing for a moment must not switch the check off.
 */
export class SignersFile {
  readonly #path: string;
  #text: string | undefined;
  #signers: readonly AllowedSigner[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {RefHeld} `signers-file` if the file cannot be used */
  read(): readonly AllowedSigner[] {
    try {
      const text = readTrustedFile(this.#path, MOST_SIGNERS_BYTES).toString();
      if (text !== this.#text) {
        this.#text = undefined;
        this.#signers = readAllowedSigners(text);
        this.#text = text;
      }
      return this.#signers;
    } catch (error) {
      if (error instanceof HostError) {
        throw this.#held(
          `${error.message}, so no signer is known`,
          'It must belong to root or to the mounting user, and no other user may have write permission.',
        );
      }
      if (error instanceof ReleaseError) throw this.#held(`${this.#path}: ${error.message}`, error.hint);
      throw error;
    }
  }

  #held(detail: string, hint: string): RefHeld {
    return new RefHeld('signers-file', this.#path, detail, hint);
  }
}
