import { createSecureContext } from 'node:tls';
import { DirectClient, type DirectClientOptions } from '../../src/store/http/direct/direct-client.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { ByteServer, type Sent } from './byte-server.ts';
import { ask } from './dispatching.ts';

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

/** A client of a server that gives each request the same answer, or one by its index. */
export async function started(
  t: Cleanup,
  answer: readonly Sent[] | ((index: number) => readonly Sent[]),
  options: Partial<DirectClientOptions> = {},
): Promise<Started> {
  const server = await ByteServer.start(t, typeof answer === 'function' ? answer : () => answer);
  return { server, client: clientFor(t, server.origin, options) };
}

export async function textOf({ server, client }: Started): Promise<string> {
  return String((await ask(client, server.origin)).body);
}
