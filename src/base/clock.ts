/** Time and chance, handed in so that tests decide them. */
export interface Clock {
  /** Milliseconds since the epoch, with a fraction where the platform has one. May step, both ways. */
  now(): number;
  /** Rejects with the signal's reason when it is aborted before the time is over. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}
