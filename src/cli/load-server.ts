import type { ServerPort } from '../server/server-port.ts';

/** Only where it is needed: it brings the store's SDK and the addon along. */
export async function loadServer(): Promise<ServerPort> {
  const server: ServerPort = await import('../server/server.ts');
  return server;
}
