/** In the high half of `unique`: the kernel sends the request again. */
const RESENT = 0x80000000;

export function isResent(uniqueHigh: number): boolean {
  return uniqueHigh >= RESENT;
}

/** The same for a request that is sent again. */
export function keyOf(uniqueHigh: number, uniqueLow: number): string {
  return `${uniqueHigh % RESENT}:${uniqueLow}`;
}
