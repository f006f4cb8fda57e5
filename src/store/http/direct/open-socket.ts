import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely, type SecureContext } from 'node:tls';

/** The maximum number of bytes read at a time. */
const READ_BYTES = 64 * 1024;

/** Milliseconds without traffic after which the system checks whether the other end still answers. */
const KEEP_ALIVE_MS = 60_000;

/** Opens connections to one origin. */
export class SocketOpener {
  readonly #host: string;
  readonly #port: number;
  readonly #secureContext: (() => SecureContext) | undefined;
  /**
   * The last TLS session. The next connection resumes it, which saves both sides the costly part of the
   * handshake.
   */
  #session: Buffer | undefined;
  /**
   * All connections share this buffer, because libuv fills it and passes it to `onRead` before it reads from
   * the next one.
   */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  /**
   * @param origin http: or https:
   * @param secureContext called at the first connection, and only for https:
   */
  constructor(origin: URL, secureContext: () => SecureContext) {
    const isSecure = origin.protocol === 'https:';
    this.#host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    this.#port = origin.port === '' ? (isSecure ? 443 : 80) : Number(origin.port);
    this.#secureContext = isSecure ? secureContext : undefined;
  }

  /**
   * Starts to connect.
   *
   * @param onOpen called when the server is connected and, for https:, its certificate is trusted
   * @param onRead called with bytes that were read, which are valid during the call only. If it returns
   *   false, reading stops until the socket is resumed
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
    // These are not set as options, because tls.connect() of Node.js 20 and 22 ignores such options.
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  }

  #openSecurely(to: ConnectionOptions, secureContext: SecureContext, onOpen: () => void): Socket {
    const resumed = this.#session;
    const socket = connectSecurely(
      {
        ...to,
        secureContext,
        // SNI cannot name an IP address. The certificate is then checked against `host`.
        servername: isIP(this.#host) === 0 ? this.#host : '',
        ALPNProtocols: ['http/1.1'],
        ...(resumed !== undefined && { session: resumed }),
      },
      onOpen,
    );
    socket.on('error', () => {
      // Forgets the resumed session, because the server may have refused it.
      if (this.#session === resumed) this.#session = undefined;
    });
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }
}
