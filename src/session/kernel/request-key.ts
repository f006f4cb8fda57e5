/** In the high half of `unique`: the kernel sent the request again. */
const RESENT = 0x80000000;

export function isResent(uniqueHigh: number): boolean {
  return uniqueHigh >= RESENT;
}

/** Equal for a request and its repetition. */
export function keyOf(uniqueHigh: number, uniqueLow: number): string {
  return `${uniqueHigh % RESENT}:${uniqueLow}`;
}
