import { createSecureContext } from 'node:tls';
import { DirectClient, type DirectClientOptions } from '../../src/store/http/direct/direct-client.ts';
import { ByteServer, type ByteServerOptions, type Step } from '../support/byte-server.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { ask } from './dispatching.ts';

/** The server sends texts and bytes. A word in capitals says what it does with the connection. */
export type Sent = string | Uint8Array | 'CLOSE' | 'RESET';

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export interface Started {
  readonly server: ByteServer;
  readonly client: DirectClient;
}

export function clientFor(
  t: Cleanup,
  origin: string,
  options: Partial<DirectClientOptions> = {},
): DirectClient {
  const client = new DirectClient(origin, {
    connections: 8,
    connectTimeout: 5000,
    secureContext: () => createSecureContext(),
    ...options,
  });
  defer(t, () => client.destroy());
  return client;
}

/** A server that ends with the test. */
export async function startServer(
  t: Cleanup,
  answering: (index: number) => readonly Sent[],
  options: ByteServerOptions = {},
): Promise<ByteServer> {
  const server = await ByteServer.start((_head, index) => answering(index).map(stepOf), options);
  defer(t, () => server.close());
  return server;
}

function stepOf(sent: Sent): Step {
  if (sent === 'CLOSE') return 'close';
  if (sent === 'RESET') return 'reset';
  return typeof sent === 'string' ? Buffer.from(sent) : sent;
}

/** A client of a server that gives each request the same answer, or an answer by the request's index. */
export async function started(
  t: Cleanup,
  answer: readonly Sent[] | ((index: number) => readonly Sent[]),
  options: Partial<DirectClientOptions> = {},
): Promise<Started> {
  const server = await startServer(t, typeof answer === 'function' ? answer : () => answer);
  return { server, client: clientFor(t, server.origin, options) };
}

export async function textOf({ server, client }: Started): Promise<string> {
  return String((await ask(client, server.origin)).body);
}
