import type { Logger } from '../base/logger.ts';
import { controlRoutes, metricsRoutes } from './endpoints/endpoints.ts';
import { type HttpLimits, HttpServer } from './http/http-server.ts';
import { OpenServer } from './http/open-server.ts';
import { listenOn, type TcpPlace } from './http/tcp-socket.ts';
import { listenAt, type SocketPlace } from './http/unix-socket.ts';
import type { ControlParts, ControlViews } from './views.ts';

export interface ControlServerOptions {
  readonly views: ControlViews;
  readonly parts: ControlParts;
  readonly log: Logger;
  readonly socket: SocketPlace;
  /** The TCP address of metrics and probes. */
  readonly metrics: TcpPlace | undefined;
  readonly limits?: Partial<HttpLimits>;
}

export interface ControlServer {
  /** The address of the metrics, with its actual port. */
  readonly metricsPort: number | undefined;
  /** Resolves when the control socket has sent all pending answers, or after `deadlineMs`. */
  answered(deadlineMs: number): Promise<void>;
  /** Resolves when the sockets are closed. */
  close(): Promise<void>;
}

/** Listens on the control socket, and on TCP if configured. Rejects with ControlError, leaving nothing behind. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { views, parts, log, socket, metrics, limits = {} } = options;
  const control = new HttpServer({ routes: controlRoutes(views, parts), log, limits });
  const removeSocket = await listenAt(control.server, socket);
  const close = async (): Promise<void> => {
    removeSocket();
    parts.events.close();
    await control.close();
  };
  const answered = (deadlineMs: number): Promise<void> => {
    // Otherwise the close would wait for listeners indefinitely; they reconnect to the next server.
    parts.events.close();
    return control.answered(deadlineMs);
  };
  if (metrics === undefined) return { metricsPort: undefined, answered, close };
  const open = new OpenServer({ routes: metricsRoutes(views), log });
  try {
    const metricsPort = await listenOn(open.server, metrics);
    return {
      metricsPort,
      answered,
      close: async () => {
        await Promise.all([close(), open.close()]);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
