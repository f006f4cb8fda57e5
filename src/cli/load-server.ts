import type { ServerPort } from '../server/server-port.ts';

/** Loaded on demand, because it loads the store's SDK and the addon. */
export async function loadServer(): Promise<ServerPort> {
  const server: ServerPort = await import('../server/server.ts');
  return server;
}
