import type { Addon } from '../session/kernel/addon.ts';

/** Which mount it is that a server leaves to the one after it: the settings may name another one by then. */
export interface MountIdentity {
  readonly id: string;
  readonly source: string;
  readonly target: string;
}

/** A path in each of the two, and then some. */
const BYTES = 16_384;

/** Memory that says it, for a supervisor to keep. */
export function identityMemory(
  addon: Pick<Addon, 'createMemory' | 'mapMemory'>,
  { id, source, target }: MountIdentity,
): number {
  const fd = addon.createMemory(BYTES);
  new TextEncoder().encodeInto(JSON.stringify({ id, source, target }), new Uint8Array(addon.mapMemory(fd)));
  return fd;
}

/** Undefined where nothing was said. */
export function identityIn(addon: Pick<Addon, 'mapMemory'>, fd: number): MountIdentity | undefined {
  const bytes = new Uint8Array(addon.mapMemory(fd));
  const end = bytes.indexOf(0);
  return end === 0
    ? undefined
    : (JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as MountIdentity);
}
