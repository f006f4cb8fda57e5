/** Credentials that sign requests. Never logged, cached or put into an error. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Replaces secrets in text of a service by ***: some services repeat the string to sign in their errors. */
export function withoutSecrets(text: string, credentials: Credentials | undefined): string {
  const secrets = [credentials?.secretAccessKey, credentials?.sessionToken].filter(Boolean) as string[];
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/**
 * Returns the current credentials, from memory while they are valid. `renew`: the store refused the last ones, so
 * files and services are read again.
 *
 * @throws {StoreError} `no-credentials`, `expired`, `denied` or `unreachable`
 */
export type CredentialsProvider = (options?: { readonly renew?: boolean }) => Promise<Credentials>;

/** After a refusal, credentials are looked up again at most once in this many milliseconds. */
const RENEWAL_INTERVAL_MS = 5000;

/**
 * Credentials are reused for this many milliseconds: calling the provider for each request costs noticeable CPU
 * at thousands of requests.
 */
const KEPT_MS = 1000;

/** Renews credentials that the store refused: once, however many concurrent requests were refused. */
export class CredentialSource {
  readonly #provider: CredentialsProvider;
  readonly #now: () => number;
  #kept: Credentials | undefined;
  #keptAt = 0;
  #renewal: Promise<Credentials> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of a clock that is not set back */
  constructor(provider: CredentialsProvider, now: () => number) {
    this.#provider = provider;
    this.#now = now;
  }

  current(): Credentials | Promise<Credentials> {
    return this.#kept !== undefined && performance.now() - this.#keptAt < KEPT_MS
      ? this.#kept
      : this.#provider().then((credentials) => this.#keep(credentials));
  }

  /** Returns credentials that differ from the refused ones; undefined: there are none. */
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
