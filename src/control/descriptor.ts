import type { Server } from 'node:net';

/**
 * Returns the descriptor of a listening server; undefined if the server does not listen. Node.js has no
 * public way to get the descriptor, and no other way to let a socket outlive the process.
 */
export function descriptorOf(server: Server): number | undefined {
  const { _handle: handle } = server as { readonly _handle?: { readonly fd?: unknown } };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
