import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely, type SecureContext } from 'node:tls';

/** Bytes read at a time. */
const READ_BYTES = 64 * 1024;

/** Milliseconds after which the system asks whether the other end is still there. */
const KEEP_ALIVE_MS = 60_000;

/** Opens connections to one origin. */
export class SocketOpener {
  readonly #host: string;
  readonly #port: number;
  readonly #secureContext: (() => SecureContext) | undefined;
  /** The last TLS session: the next connection resumes it, which saves both sides the costly part of the handshake. */
  #session: Buffer | undefined;
  /** Shared by all connections: libuv fills it, and passes it to `onRead`, before it reads from the next one. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  /**
   * @param origin http: or https:
   * @param secureContext for https:, called at the first connection
   */
  constructor(origin: URL, secureContext: () => SecureContext) {
    const isSecure = origin.protocol === 'https:';
    this.#host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    this.#port = origin.port === '' ? (isSecure ? 443 : 80) : Number(origin.port);
    this.#secureContext = isSecure ? secureContext : undefined;
  }

  /**
   * @param onOpen the server is connected, and its certificate trusted
   * @param onRead takes what was read, valid during the call only; false: stops reading until the socket is resumed
   */
  open(onOpen: () => void, onRead: (bytes: Buffer) => boolean): Socket {
    const to = {
      host: this.#host,
      port: this.#port,
      onread: {
        buffer: this.#buffer,
        callback: (length: number) => onRead(this.#buffer.subarray(0, length)),
      },
    };
    const socket =
      this.#secureContext === undefined
        ? connect(to, onOpen)
        : this.#openSecurely(to, this.#secureContext(), onOpen);
    // Not as options, which tls.connect() of Node.js 20 and 22 ignores.
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  }

  #openSecurely(to: ConnectionOptions, secureContext: SecureContext, onOpen: () => void): Socket {
    const resumed = this.#session;
    const socket = connectSecurely(
      {
        ...to,
        secureContext,
        // SNI has no addresses. The certificate is checked against `host` then.
        servername: isIP(this.#host) === 0 ? this.#host : '',
        ALPNProtocols: ['http/1.1'],
        ...(resumed !== undefined && { session: resumed }),
      },
      onOpen,
    );
    socket.on('error', () => {
      // The resumed session may be what the server refused.
      if (this.#session === resumed) this.#session = undefined;
    });
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }
}
