import { type AddressInfo, createConnection, createServer } from 'node:net';
import { type Cleanup, defer } from './temporary.ts';

/** A port of this host that leads to a Unix socket, for programs that speak HTTP only over TCP. */
export async function tcpToUnix(test: Cleanup, path: string): Promise<number> {
  const server = createServer((client) => {
    const socket = createConnection({ path });
    const end = (): void => {
      client.destroy();
      socket.destroy();
    };
    for (const each of [client, socket]) each.on('error', end).on('close', end);
    client.pipe(socket).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  defer(test, () => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
