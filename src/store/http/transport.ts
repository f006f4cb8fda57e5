import { createSecureContext, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { StoreError } from '../store-error.ts';
import { DirectClient } from './direct/direct-client.ts';
import { type ProxyAddress, proxyFor } from './proxy-settings.ts';
import type { RequestDispatcher } from './request-dispatcher.ts';
import type { TransportSettings } from './transport-settings.ts';

type Undici = typeof import('undici');

/**
 * Keeps connections to any origin, directly or through the proxy that is configured for it. undici serves
 * proxies, and requests that have a body; it is loaded only for these.
 */
export class Transport {
  readonly settings: TransportSettings;
  /**
   * Contains the trusted authorities. It is created once, for the first TLS connection, because parsing a
   * bundle of 140 authorities takes 50 to 130 ms, which connections by plain HTTP need not spend.
   */
  #secureContext: SecureContext | undefined;
  /** The dispatchers for requests to the store, by origin. */
  readonly #dispatchers = new Map<string, RequestDispatcher | Promise<RequestDispatcher>>();
  readonly #undici = new Map<string, Promise<Dispatcher>>();
  #closed = false;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  /** Whether requests to this origin go through a proxy. */
  isProxied(origin: string): boolean {
    return proxyFor(new URL(origin), this.settings.proxies) !== undefined;
  }

  /**
   * Returns the dispatcher for GET and HEAD to an origin. It is a promise only if the origin is behind a
   * proxy.
   *
   * @throws {StoreError} aborted, after close()
   */
  dispatcherFor(origin: string): RequestDispatcher | Promise<RequestDispatcher> {
    this.#checkOpen();
    let dispatcher = this.#dispatchers.get(origin);
    if (dispatcher === undefined) {
      dispatcher = this.isProxied(origin) ? this.undiciFor(origin) : this.#directly(origin);
      this.#dispatchers.set(origin, dispatcher);
    }
    return dispatcher;
  }

  /**
   * Returns undici's dispatcher for any request to an origin.
   *
   * @throws {StoreError} aborted, after close()
   */
  undiciFor(origin: string): Promise<Dispatcher> {
    this.#checkOpen();
    let dispatcher = this.#undici.get(origin);
    if (dispatcher === undefined) {
      const proxy = proxyFor(new URL(origin), this.settings.proxies);
      dispatcher = import('undici').then((undici) =>
        proxy === undefined ? this.#straight(undici, origin) : this.#through(undici, proxy, origin),
      );
      this.#undici.set(origin, dispatcher);
    }
    return dispatcher;
  }

  /** Aborts all requests in progress. */
  async close(): Promise<void> {
    this.#closed = true;
    const dispatchers = new Set([...this.#dispatchers.values(), ...this.#undici.values()]);
    this.#dispatchers.clear();
    this.#undici.clear();
    await Promise.all([...dispatchers].map(destroyed));
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('aborted', 'the store is closed', 'Open it again.', false);
  }

  #directly(origin: string): DirectClient {
    const { connections, timeouts } = this.settings;
    return new DirectClient(origin, {
      connections,
      connectTimeout: timeouts.connect,
      secureContext: () => this.#trusting(),
    });
  }

  #straight({ Agent }: Undici, origin: string): Dispatcher {
    return new Agent({ ...this.#pooling(), connect: this.#connecting(origin) });
  }

  #through({ Pool, ProxyAgent }: Undici, proxy: ProxyAddress, origin: string): Dispatcher {
    const pooling = this.#pooling();
    return new ProxyAgent({
      ...pooling,
      uri: proxy.url,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
      // For http, the proxy is a plain forward proxy, because it may refuse CONNECT to port 80. For https, it
      // is a tunnel.
      proxyTunnel: false,
      proxyTls: this.#connecting(proxy.url),
      requestTls: this.#connecting(origin),
      // This pool bounds the wait for a proxy that accepts the connection but never answers CONNECT.
      clientFactory: (origin, options) => new Pool(origin, { ...pooling, ...options }),
    });
  }

  #pooling() {
    const { connections, timeouts } = this.settings;
    return { connections, headersTimeout: timeouts.firstByte, bodyTimeout: timeouts.stall };
  }

  #connecting(address: string) {
    const { timeouts, trusted } = this.settings;
    const { connect: timeout } = timeouts;
    if (trusted === undefined || new URL(address).protocol !== 'https:') return { timeout };
    return { timeout, secureContext: this.#trusting() };
  }

  #trusting(): SecureContext {
    const { trusted } = this.settings;
    this.#secureContext ??= createSecureContext(trusted === undefined ? {} : { ca: trusted });
    return this.#secureContext;
  }
}

async function destroyed(dispatcher: RequestDispatcher | Promise<RequestDispatcher>): Promise<void> {
  // If undici could not be loaded, the first request that needed it has reported that.
  const loaded = await Promise.resolve(dispatcher).catch(() => undefined);
  await loaded?.destroy();
}
