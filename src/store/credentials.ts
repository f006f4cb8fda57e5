/** What requests are signed with. Never logged, cached or put into an error. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Gives the credentials of this moment, from memory where they are still good. `renew`: the store refused the last
 * ones, so that files and services are asked again.
 *
 * @throws {StoreError} `no-credentials`, `expired`, `denied` or `unreachable`
 */
export type CredentialsProvider = (options?: { readonly renew?: boolean }) => Promise<Credentials>;

/** Refused credentials are looked up again once in so many milliseconds, not at every request. */
const RENEWAL_INTERVAL_MS = 5000;

/** The provider is asked again after so many milliseconds: asking at every request is felt where there are thousands. */
const KEPT_MS = 1000;

/** Renews credentials that the store refused: once, however many requests found out at the same time. */
export class CredentialSource {
  readonly #provider: CredentialsProvider;
  readonly #now: () => number;
  #kept: Credentials | undefined;
  #keptAt = 0;
  #renewal: Promise<Credentials> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(provider: CredentialsProvider, now: () => number) {
    this.#provider = provider;
    this.#now = now;
  }

  current(): Credentials | Promise<Credentials> {
    return this.#kept !== undefined && performance.now() - this.#keptAt < KEPT_MS
      ? this.#kept
      : this.#provider().then((credentials) => this.#keep(credentials));
  }

  /** Other credentials than those refused; undefined: there are none. */
  async replace(refused: Credentials): Promise<Credentials | undefined> {
    const current = this.#keep(await this.#provider());
    if (!isSame(current, refused)) return current;
    if (this.#renewal === undefined) {
      if (this.#now() - this.#renewedAt < RENEWAL_INTERVAL_MS) return undefined;
      this.#renewal = this.#provider({ renew: true }).finally(() => {
        this.#renewal = undefined;
        this.#renewedAt = this.#now();
      });
    }
    const renewed = this.#keep(await this.#renewal);
    return isSame(renewed, refused) ? undefined : renewed;
  }

  #keep(credentials: Credentials): Credentials {
    this.#kept = credentials;
    this.#keptAt = performance.now();
    return credentials;
  }
}

function isSame(left: Credentials, right: Credentials): boolean {
  return (
    left.accessKeyId === right.accessKeyId &&
    left.secretAccessKey === right.secretAccessKey &&
    left.sessionToken === right.sessionToken
  );
}
