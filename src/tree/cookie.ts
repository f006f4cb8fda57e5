import type { NameHash } from './name-hash.ts';

/** Cookies 0 to 15 are not for names: 0 starts a listing, 1 is "." and 2 is "..". */
export const RESERVED_COOKIES = 16;

/**
 * Writes to `out` the cookie that a name gets if no other name of its directory has the same one: a hash, cut
 * to 63 bits (the kernel keeps cookies in a signed loff_t), above the reserved values, and below the highest
 * values, so that it can always be increased. `out[0]` is the lower half, `out[1]` the upper half.
 *
 * Collisions within one directory: the names are ordered by this wished cookie, then by their bytes. Each
 * name gets the smallest value that is above the cookie of the name before it and not below its own wish:
 * cookie[i] = max(wish[i], cookie[i - 1] + 1). So cookies increase strictly in that order. If a name did not
 * get its wish, other names have all values from its wish up to its cookie, without a gap. Lookup relies on
 * that: it searches the first cookie not below the wish, and compares names until a value is missing.
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
