declare const flavour: unique symbol;

/**
 * A number with a flavour: TypeScript does not let numbers of different flavours be mixed. A plain number is
 * accepted, so that no casts are needed where numbers come from outside. A flavour costs nothing at run time.
 */
type Flavoured<Name extends string> = number & { readonly [flavour]?: Name };

/**
 * The number by which the kernel identifies a directory, or one version of one file: an integer below 2^53. 1
 * is the root.
 */
export type NodeId = Flavoured<'NodeId'>;
/**
 * One half (u32) of the 64-bit id of a request. The id is split because bit 63 may be set, and because a
 * bigint allocates.
 */
export type UniqueHalf = Flavoured<'UniqueHalf'>;
/** One half (u32) of a directory cookie (the `off` of a directory entry). */
export type CookieHalf = Flavoured<'CookieHalf'>;
export type ByteCount = Flavoured<'ByteCount'>;

/** A time to live that never ends: 2^64-1 seconds on the wire. */
export const FOREVER = Number.POSITIVE_INFINITY;

const TWO_TO_32 = 0x1_0000_0000;
const HIGHEST_SAFE_HALF = 0x1f_ffff;

/** Reads a little-endian u64 as a number. Returns -1 if the value is 2^53 or more. */
export function readU64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high > HIGHEST_SAFE_HALF ? -1 : high * TWO_TO_32 + view.getUint32(at, true);
}

/**
 * Writes an integer between -2^53 and 2^53 as little-endian: an s64 in two's complement if negative,
 * otherwise a u64.
 */
export function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / TWO_TO_32), true);
}

/**
 * Checks that the host is little-endian: FUSE uses the host's byte order, and this codec supports only
 * little-endian. Call it once per session before the first message (ReplyWriter and negotiate do).
 * @throws Error on a big-endian host.
 */
export function requireLittleEndianHost(
  firstByteOfOne = new Uint8Array(new Uint16Array([1]).buffer)[0],
): void {
  if (firstByteOfOne !== 1) {
    throw new Error(
      'the kernel driver supports little-endian hosts only (x86-64, arm64), and this host is big-endian',
    );
  }
}
