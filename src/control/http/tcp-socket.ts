import { type AddressInfo, isIP, type Server } from 'node:net';
import { ControlError } from '../control-error.ts';
import { descriptorOf } from '../descriptor.ts';

export interface TcpPlace {
  /**
   * Says in errors what is served at this address, as the subject of a sentence, and which option names the
   * address.
   */
  readonly what?: { readonly subject: string; readonly option: string } | undefined;
  readonly host: string;
  readonly port: number;
  /**
   * The listening descriptor of a predecessor, perhaps at another address. It is then closed; otherwise the
   * server uses it.
   */
  readonly inherited?: number | undefined;
  /** Receives the listening descriptor, unless it was inherited. */
  readonly onListening?: ((fd: number) => void) | undefined;
}

/**
 * Makes a server listen at a TCP address. Returns the port, which the system chooses if 0 is requested.
 * Rejects with ControlError.
 */
export async function listenOn(server: Server, place: TcpPlace): Promise<number> {
  const { host, port, inherited, onListening } = place;
  try {
    if (inherited !== undefined) {
      await listen(server, { fd: inherited });
      if (isAt(server.address() as AddressInfo, place)) return (server.address() as AddressInfo).port;
      // The configured address has changed since the predecessor began to listen.
      await new Promise((resolve) => server.close(resolve));
    }
    await listen(server, { host, port });
    const fd = descriptorOf(server);
    if (fd !== undefined) onListening?.(fd);
    return (server.address() as AddressInfo).port;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const { subject, option } = place.what ?? { subject: 'The metrics', option: '--metrics-listen' };
    throw new ControlError(
      code === 'EADDRINUSE' ? 'address-in-use' : 'address-unusable',
      `${subject} cannot be offered at ${host}:${port} (${code}).`,
      `Name another address with ${option}.`,
      error,
    );
  }
}

/**
 * Whether an address is the configured one. A host name always counts as the same, because it may have had
 * another address when the predecessor resolved it.
 */
function isAt(address: AddressInfo, { host, port }: TcpPlace): boolean {
  return (port === 0 || address.port === port) && (isIP(host) === 0 || address.address === host);
}

function listen(
  server: Server,
  at: Pick<TcpPlace, 'host' | 'port'> | { readonly fd: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
