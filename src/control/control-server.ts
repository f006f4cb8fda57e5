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
  /** What the control socket answers. */
  readonly routes: readonly Route[];
  /** What TCP clients may request. */
  readonly views: Pick<MountControlViews, 'metrics' | 'health' | 'readiness'>;
  readonly events: Pick<EventFeed, 'close'>;
  readonly log: Logger;
  readonly socket: SocketPlace;
  /** The TCP address of metrics and probes. */
  readonly metrics: TcpPlace | undefined;
  /** The address for requests to look at the source, and the file with the secrets that prove them. */
  readonly webhook?: (TcpPlace & WebhookOptions) | undefined;
  readonly limits?: Partial<HttpLimits>;
}

export interface WebhookOptions {
  readonly secretFile: string;
  readonly onHint: () => void;
  readonly onRefused: () => void;
}

export interface ControlServer {
  /** The address of the metrics, with its actual port. */
  readonly metricsPort: number | undefined;
  readonly webhookPort: number | undefined;
  /** Resolves when the control socket has sent all pending answers, or after `deadlineMs`. */
  answered(deadlineMs: number): Promise<void>;
  /** Resolves when the sockets are closed. */
  close(): Promise<void>;
}

/** Listens on the control socket, and on TCP if configured. Rejects with ControlError, leaving nothing behind. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { routes, views, events, log, socket, metrics, webhook, limits = {} } = options;
  const control = new HttpServer({ routes, log, limits });
  const removeSocket = await listenAt(control.server, socket);
  const closings: (() => Promise<void>)[] = [
    async () => {
      removeSocket();
      events.close();
      await control.close();
    },
  ];
  const close = async (): Promise<void> => {
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
        // Otherwise the close would wait for listeners indefinitely; they reconnect to the next server.
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

/** Throws ControlError if a first server cannot use the secrets. A successor serves readers even without them. */
function webhookServer(
  { secretFile, onHint, onRefused, inherited }: WebhookOptions & Pick<TcpPlace, 'inherited'>,
  log: Logger,
): WebhookServer {
  const now = (): number => performance.now();
  const secrets = new WebhookSecrets(secretFile, now);
  if (inherited === undefined) secrets.current();
  return new WebhookServer({ secrets, log, onHint, onRefused, now });
}
