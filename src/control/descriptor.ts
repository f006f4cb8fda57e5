import type { Server } from 'node:net';

/**
 * The descriptor of a listening server. Node.js does not expose it, but offers no other way to let a socket outlive
 * the process.
 */
export function descriptorOf(server: Server): number | undefined {
  const { _handle: handle } = server as { readonly _handle?: { readonly fd?: unknown } };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
