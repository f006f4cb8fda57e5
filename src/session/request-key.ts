/** The bit in the high half of `unique` that marks a request which the kernel has sent again. */
const RESENT = 0x80000000;

export function isResent(uniqueHigh: number): boolean {
  return uniqueHigh >= RESENT;
}

/** Returns the same key for a request and its repetition. */
export function keyOf(uniqueHigh: number, uniqueLow: number): string {
  return `${uniqueHigh % RESENT}:${uniqueLow}`;
}
