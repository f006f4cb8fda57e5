import { CredentialSource, type Credentials, type CredentialsProvider } from '../credentials.ts';

/**
 * The lifetime of credentials, as the SDK is told. The SDK asks for new credentials five minutes before it
 * ends, so for each request. CredentialSource keeps the credentials instead. Without a lifetime the SDK would
 * use the first credentials for ever.
 */
const KEPT_MS = 60_000;

/**
 * The credentials of a client of the SDK, which are replaced when they expire, and after the service refused
 * them.
 */
export class RenewedCredentials {
  readonly #source: CredentialSource;
  #given: Credentials | undefined;
  /** The credentials that the service refused. Undefined after the SDK has asked for others. */
  #refused: Credentials | undefined;

  constructor(provider: CredentialsProvider) {
    this.#source = new CredentialSource(provider, () => performance.now());
  }

  /** The credentials that the SDK was given last. */
  get given(): Credentials | undefined {
    return this.#given;
  }

  /** The SDK's `credentials`. */
  readonly provide = async (): Promise<Credentials & { readonly expiration: Date }> => {
    const refused = this.#refused;
    this.#refused = undefined;
    const given = (refused && (await this.#source.replace(refused))) ?? (await this.#source.current());
    this.#given = given;
    return { ...given, expiration: new Date(Date.now() + KEPT_MS) };
  };

  /** Must be called when the service has refused the credentials that the SDK was given last. */
  refused(): void {
    this.#refused = this.#given;
  }
}
