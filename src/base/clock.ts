/** Time and randomness, passed as arguments so that tests control them. */
export interface Clock {
  /** Milliseconds since the epoch, with a fraction if the platform has one. May step forwards and backwards. */
  now(): number;
  /** Rejects with the signal's reason if the signal is aborted before the time is over. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * Calls `ring` after `ms` milliseconds, unless the returned function is called first. An alarm costs a
   * fraction of sleep().
   */
  alarm(ms: number, ring: () => void): () => void;
  /** At least 0, below 1. */
  random(): number;
}
