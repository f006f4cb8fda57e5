import { type AddressInfo, isIP, type Server } from 'node:net';
import { ControlError } from '../control-error.ts';
import { descriptorOf } from '../descriptor.ts';

export interface TcpPlace {
  /** What is offered there, as the subject of a sentence, and the option that names the address. */
  readonly what?: { readonly subject: string; readonly option: string } | undefined;
  readonly host: string;
  readonly port: number;
  /** A predecessor's listening descriptor, perhaps at another address; closed here. */
  readonly inherited?: number | undefined;
  /** Receives the listening descriptor. */
  readonly onListening?: ((fd: number) => void) | undefined;
}

/** Returns the port; the system chooses it if 0 is requested. Rejects with ControlError. */
export async function listenOn(server: Server, place: TcpPlace): Promise<number> {
  const { host, port, inherited, onListening } = place;
  try {
    if (inherited !== undefined) {
      await listen(server, { fd: inherited });
      if (isAt(server.address() as AddressInfo, place)) return (server.address() as AddressInfo).port;
      // The configured address has changed.
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

/** A host name always counts as the same: it may have had another address when the predecessor resolved it. */
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
