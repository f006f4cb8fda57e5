/** Which provider of the chain gave credentials. */
export type CredentialsOrigin =
  | 'environment'
  | 'profile'
  | 'process'
  | 'sso'
  | 'web-identity'
  | 'container'
  | 'instance';

/** Where the credentials in use came from, and until when they are valid. Nothing of them themselves. */
export interface CredentialsFound {
  readonly origin: CredentialsOrigin;
  /** Milliseconds since the epoch; undefined: they do not expire, or it is not said. */
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
