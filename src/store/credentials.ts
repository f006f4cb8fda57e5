/** Credentials that sign requests. They are never logged, stored on disk or put into an error. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Replaces secrets by *** in a text that a service sent, because some services repeat the string to sign in
 * their errors.
 */
export function withoutSecrets(text: string, credentials: Credentials | undefined): string {
  const secrets = [credentials?.secretAccessKey, credentials?.sessionToken].filter(Boolean) as string[];
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/**
 * Returns the current credentials, from memory while they are valid. With `renew` it reads files and asks
 * services again, because the store refused the last credentials.
 *
 * @throws {StoreError} `no-credentials`, `expired`, `denied` or `unreachable`
 */
export type CredentialsProvider = (options?: { readonly renew?: boolean }) => Promise<Credentials>;

/** After the store refused credentials, they are looked up again at most once in this many milliseconds. */
const RENEWAL_INTERVAL_MS = 5000;

/**
 * Credentials are reused for this many milliseconds, because calling the provider for each request costs
 * noticeable CPU at thousands of requests.
 */
const KEPT_MS = 1000;

/**
 * Provides credentials, and renews them after the store refused them: once, even if many concurrent requests
 * were refused.
 */
export class CredentialSource {
  readonly #provider: CredentialsProvider;
  readonly #now: () => number;
  #kept: Credentials | undefined;
  #keptAt = 0;
  #renewal: Promise<Credentials> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  /** @param now returns milliseconds of a clock that is not set back */
  constructor(provider: CredentialsProvider, now: () => number) {
    this.#provider = provider;
    this.#now = now;
  }

  current(): Credentials | Promise<Credentials> {
    return this.#kept !== undefined && performance.now() - this.#keptAt < KEPT_MS
      ? this.#kept
      : this.#provider().then((credentials) => this.#keep(credentials));
  }

  /**
   * Returns credentials that differ from the refused ones; undefined if there are none, or if the last
   * renewal is too recent.
   */
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
