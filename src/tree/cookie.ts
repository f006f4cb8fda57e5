import type { NameHash } from './name-hash.ts';

/** Cookies 0 to 15 are not for names: 0 starts a listing, "." and ".." have 1 and 2. */
export const RESERVED_COOKIES = 16;

/**
 * The cookie that a name gets where no other name of its directory has it: a hash, cut to 63 bits (the kernel
 * keeps it in a signed loff_t), moved out of the reserved values and away from the top, so that there is
 * always room to bump it. `out[0]` is the low half, `out[1]` the high one.
 *
 * Collisions within one directory: in (this value, name bytes) order, each name takes the first value above
 * its predecessor's that is not below its own: cookie[i] = max(wish[i], cookie[i - 1] + 1). So cookies grow
 * strictly in that same order, and a name that was bumped has every value from its wish up to its cookie taken
 * without a gap. Lookup relies on that: it searches the first cookie not below the wish and compares names
 * until a value is missing.
 */
export function wishedCookie(
  hash: NameHash,
  saltHigh: number,
  saltLow: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint32Array,
): void {
  hash(saltHigh, saltLow, bytes, start, end, out);
  const high = out[1]! & 0x7fffffff;
  out[1] = high === 0x7fffffff ? 0x7ffffffe : high;
  if (high === 0 && out[0]! < RESERVED_COOKIES) out[0] = out[0]! + RESERVED_COOKIES;
}
