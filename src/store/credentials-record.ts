/** Which provider of the chain gave credentials. */
export type CredentialsOrigin =
  | 'environment'
  | 'profile'
  | 'process'
  | 'sso'
  | 'web-identity'
  | 'container'
  | 'instance';

/** The origin of the credentials in use, and until when they are valid, but no part of the credentials themselves. */
export interface CredentialsFound {
  readonly origin: CredentialsOrigin;
  /** Milliseconds since the epoch; undefined if they do not expire, or their expiry is unknown. */
  readonly expiresAt: number | undefined;
}

/** The last credentials that were found; written where they are looked for, read by status. */
export class CredentialsRecord {
  #last: CredentialsFound | undefined;

  get last(): CredentialsFound | undefined {
    return this.#last;
  }

  found(found: CredentialsFound): void {
    this.#last = found;
  }
}
