import type { ServerPort } from '../server/server-port.ts';

/** Loads the server module on demand, because that module loads the store's SDK and the addon. */
export async function loadServer(): Promise<ServerPort> {
  const server: ServerPort = await import('../server/server.ts');
  return server;
}
