import type { Logger } from '../base/logger.ts';
import { metricsRoutes } from './endpoints/endpoints.ts';
import type { Route } from './endpoints/route.ts';
import type { EventFeed } from './event-feed.ts';
import { type HttpLimits, HttpServer } from './http/http-server.ts';
import { OpenServer } from './http/open-server.ts';
import { listenOn, type TcpPlace } from './http/tcp-socket.ts';
import { listenAt, type SocketPlace } from './http/unix-socket.ts';
import type { MountControlViews } from './views.ts';
import { WebhookSecrets } from './webhook/secrets.ts';
import { WebhookServer } from './webhook/webhook-server.ts';

export interface ControlServerOptions {
  /** The routes of the control socket. */
  readonly routes: readonly Route[];
  /** The views that clients may request over TCP. */
  readonly views: Pick<MountControlViews, 'metrics' | 'health' | 'readiness'>;
  readonly events: Pick<EventFeed, 'close'>;
  readonly log: Logger;
  readonly socket: SocketPlace;
  /** The TCP address of metrics and probes. */
  readonly metrics: TcpPlace | undefined;
  /**
   * The TCP address of the webhook, whose requests make the daemon check the source, and the file with the
   * secrets that these requests must prove.
   */
  readonly webhook?: (TcpPlace & WebhookOptions) | undefined;
  readonly limits?: Partial<HttpLimits>;
}

export interface WebhookOptions {
  readonly secretFile: string;
  readonly onHint: () => void;
  readonly onRefused: () => void;
}

export interface ControlServer {
  /** The TCP port at which the metrics are really served; undefined if they are not served over TCP. */
  readonly metricsPort: number | undefined;
  readonly webhookPort: number | undefined;
  /** Resolves when the control socket has sent all pending answers, or after `deadlineMs`. */
  answered(deadlineMs: number): Promise<void>;
  /** Resolves when this server's sockets are closed. */
  close(closing?: Closing): Promise<void>;
}

export interface Closing {
  /** Whether the file of the control socket stays, because a successor inherits the listening socket. */
  readonly leavesSocket: boolean;
}

/**
 * Listens on the control socket, and on TCP if configured. If it cannot listen at one of these, closes the
 * others, and rejects with ControlError.
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { routes, views, events, log, socket, metrics, webhook, limits = {} } = options;
  const control = new HttpServer({ routes, log, limits });
  const removeSocket = await listenAt(control.server, socket);
  const closings: (() => Promise<void>)[] = [
    async () => {
      events.close();
      await control.close();
    },
  ];
  const close = async ({ leavesSocket }: Closing = { leavesSocket: false }): Promise<void> => {
    if (!leavesSocket) removeSocket();
    await Promise.all(closings.map((each) => each()));
  };
  const listen = async <T extends Listening>(server: T, place: TcpPlace): Promise<number> => {
    const port = await listenOn(server.server, place);
    closings.push(() => server.close());
    return port;
  };
  try {
    return {
      metricsPort: metrics && (await listen(new OpenServer({ routes: metricsRoutes(views), log }), metrics)),
      webhookPort: webhook && (await listen(webhookServer(webhook, log), webhook)),
      answered: (deadlineMs) => {
        // Ends the streams of events, because the close would otherwise wait for their clients indefinitely.
        // The clients reconnect to the next server.
        events.close();
        return control.answered(deadlineMs);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Listening = Pick<OpenServer | WebhookServer, 'server' | 'close'>;

/**
 * Creates the server of the webhook. Throws ControlError if a first server cannot use the secrets. A
 * successor does not throw, because it must serve readers even without the secrets.
 */
function webhookServer(
  { secretFile, onHint, onRefused, inherited }: WebhookOptions & Pick<TcpPlace, 'inherited'>,
  log: Logger,
): WebhookServer {
  const now = (): number => performance.now();
  const secrets = new WebhookSecrets(secretFile, now);
  if (inherited === undefined) secrets.current();
  return new WebhookServer({ secrets, log, onHint, onRefused, now });
}
