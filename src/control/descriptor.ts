import type { Server } from 'node:net';

/** What a server listens with. Node keeps it to itself, and has no other way to let a socket outlive the process. */
export function descriptorOf(server: Server): number | undefined {
  const { _handle: handle } = server as { readonly _handle?: { readonly fd?: unknown } };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
