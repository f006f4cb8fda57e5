import type { Addon } from '../../session/kernel/addon.ts';

/** Identifies the mount that a server leaves to its successor, whose settings may name another mount. */
export interface MountIdentity {
  readonly id: string;
  readonly source: string;
  readonly target: string;
}

/** Room for a source and a target of PATH_MAX each, and more. */
const BYTES = 16_384;

/** Returns the descriptor of memory that contains the identity. The supervisor keeps that descriptor. */
export function identityMemory(
  addon: Pick<Addon, 'createMemory' | 'mapMemory'>,
  { id, source, target }: MountIdentity,
): number {
  const fd = addon.createMemory(BYTES);
  new TextEncoder().encodeInto(JSON.stringify({ id, source, target }), new Uint8Array(addon.mapMemory(fd)));
  return fd;
}

/** Reads the identity from that memory. Returns undefined if nothing was written to it. */
export function identityIn(addon: Pick<Addon, 'mapMemory'>, fd: number): MountIdentity | undefined {
  const bytes = new Uint8Array(addon.mapMemory(fd));
  const end = bytes.indexOf(0);
  return end === 0
    ? undefined
    : (JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as MountIdentity);
}
