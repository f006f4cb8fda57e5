import { createSecureContext, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { StoreError } from '../store-error.ts';
import { type ProxyAddress, proxyFor } from './proxy-settings.ts';
import type { TransportSettings } from './transport-settings.ts';
import { Agent, loadDispatcherApi, Pool, ProxyAgent } from './undici.ts';

/** Keep-alive connections to any origin: directly, or through its configured proxy. */
export class Transport {
  readonly settings: TransportSettings;
  /** Created once: otherwise a bundle of 140 authorities would be parsed for each connection. */
  readonly #secureContext: SecureContext | undefined;
  readonly #dispatchers = new Map<string, Dispatcher>();
  #closed = false;

  constructor(settings: TransportSettings) {
    this.settings = settings;
    const { trusted } = settings;
    this.#secureContext = trusted === undefined ? undefined : createSecureContext({ ca: trusted });
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
      dispatcher = proxy === undefined ? this.#direct() : this.#through(proxy);
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

  #direct(): Dispatcher {
    return new Agent({ ...this.#pooling(), connect: this.#connecting() });
  }

  #through(proxy: ProxyAddress): Dispatcher {
    loadDispatcherApi();
    const connecting = this.#connecting();
    const pooling = this.#pooling();
    return new ProxyAgent({
      ...pooling,
      uri: proxy.url,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
      // http uses a plain forward proxy, which may refuse CONNECT to port 80; https is tunnelled.
      proxyTunnel: false,
      proxyTls: connecting,
      requestTls: connecting,
      // Bounds the wait for a proxy that accepts the connection but never answers CONNECT.
      clientFactory: (origin, options) => new Pool(origin, { ...pooling, ...options }),
    });
  }

  #pooling() {
    const { connections, timeouts } = this.settings;
    return { connections, headersTimeout: timeouts.firstByte, bodyTimeout: timeouts.stall };
  }

  #connecting() {
    const secureContext = this.#secureContext;
    return { timeout: this.settings.timeouts.connect, ...(secureContext !== undefined && { secureContext }) };
  }
}
