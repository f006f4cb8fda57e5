import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Dispatcher } from 'undici';
import type { Transport } from '../http/transport.ts';
import type { DatedAnswer } from '../store-clock.ts';

type RequestHandler = NonNullable<S3ClientConfig['requestHandler']>;

/**
 * Returns a handler that sends requests of the SDK (for credentials, mostly to STS; to SQS; of deploys)
 * through the same proxies and with the same authorities as requests of dagmount.
 *
 * @param dates called for each answer that has a Date
 */
export function sdkRequestHandler(transport: Transport, dates?: DateObserver): RequestHandler {
  return {
    handle: async (request: SdkRequest, options?: { readonly abortSignal?: unknown }) => {
      const { protocol, hostname, port, path, query, method, headers, body } = request;
      const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
      const signal = options?.abortSignal;
      const sent = dates?.wallClock() ?? 0;
      const dispatcher = await transport.undiciFor(origin);
      const answer = await dispatcher.request({
        origin,
        path: `${path}${queryString(query)}`,
        method: method as Dispatcher.HttpMethod,
        headers,
        ...(body !== undefined && { body: body as string | Uint8Array }),
        ...(signal instanceof AbortSignal && { signal }),
      });
      const response = { statusCode: answer.statusCode, headers: flat(answer.headers), body: answer.body };
      const date = Date.parse(response.headers.date ?? '');
      if (dates !== undefined && !Number.isNaN(date)) {
        dates.observe({ sent, received: dates.wallClock(), date });
      }
      return { response };
    },
    destroy: () => undefined,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  } as RequestHandler;
}

export interface DateObserver {
  /** This host's clock; milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly observe: (answer: DatedAnswer) => void;
}

/** The relevant fields of the SDK's HttpRequest. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

function queryString(query: SdkRequest['query']): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, one ?? ''] as [string, string]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
}
