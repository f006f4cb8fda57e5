/** The provider of the SDK's chain that gave the credentials. */
export type CredentialsOrigin =
  | 'environment'
  | 'profile'
  | 'process'
  | 'sso'
  | 'web-identity'
  | 'container'
  | 'instance';

/**
 * Where the credentials in use come from, and until when they are valid, but no part of the credentials
 * themselves.
 */
export interface CredentialsFound {
  readonly origin: CredentialsOrigin;
  /** Milliseconds since the epoch; undefined if they do not expire, or their expiry is unknown. */
  readonly expiresAt: number | undefined;
}

/**
 * The origin of the last credentials that were found. The code that finds credentials writes it; `status`
 * reads it.
 */
export class CredentialsRecord {
  #last: CredentialsFound | undefined;

  get last(): CredentialsFound | undefined {
    return this.#last;
  }

  found(found: CredentialsFound): void {
    this.#last = found;
  }
}
