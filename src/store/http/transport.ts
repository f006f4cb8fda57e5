import { createSecureContext, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { StoreError } from '../store-error.ts';
import { type ProxyAddress, proxyFor } from './proxy-settings.ts';
import type { TransportSettings } from './transport-settings.ts';
import { Agent, loadDispatcherApi, Pool, ProxyAgent } from './undici.ts';

/** Keep-alive connections to any origin: directly, or through its configured proxy. */
export class Transport {
  readonly settings: TransportSettings;
  /**
   * Of the authorities to trust, for the first connection by TLS. Created once: to parse a bundle of 140 authorities takes
   * 50 to 130 ms, which no connection by plain HTTP has to pay.
   */
  #secureContext: SecureContext | undefined;
  readonly #dispatchers = new Map<string, Dispatcher>();
  #closed = false;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  /** Whether requests to this origin go through a proxy. */
  isProxied(origin: string): boolean {
    return proxyFor(new URL(origin), this.settings.proxies) !== undefined;
  }

  /** @throws {StoreError} aborted, after close() */
  dispatcherFor(origin: string): Dispatcher {
    if (this.#closed) throw new StoreError('aborted', 'the store is closed', 'Open it again.', false);
    let dispatcher = this.#dispatchers.get(origin);
    if (dispatcher === undefined) {
      const proxy = proxyFor(new URL(origin), this.settings.proxies);
      dispatcher = proxy === undefined ? this.#direct(origin) : this.#through(proxy, origin);
      this.#dispatchers.set(origin, dispatcher);
    }
    return dispatcher;
  }

  /** Aborts all requests in progress. */
  async close(): Promise<void> {
    this.#closed = true;
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
  }

  #direct(origin: string): Dispatcher {
    return new Agent({ ...this.#pooling(), connect: this.#connecting(origin) });
  }

  #through(proxy: ProxyAddress, origin: string): Dispatcher {
    loadDispatcherApi();
    const pooling = this.#pooling();
    return new ProxyAgent({
      ...pooling,
      uri: proxy.url,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
      // http uses a plain forward proxy, which may refuse CONNECT to port 80; https is tunnelled.
      proxyTunnel: false,
      proxyTls: this.#connecting(proxy.url),
      requestTls: this.#connecting(origin),
      // Bounds the wait for a proxy that accepts the connection but never answers CONNECT.
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
    this.#secureContext ??= createSecureContext({ ca: trusted });
    return { timeout, secureContext: this.#secureContext };
  }
}
