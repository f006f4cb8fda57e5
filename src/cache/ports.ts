/** Time, handed in so that tests decide it. */
export interface Clock {
  /** Milliseconds since the epoch. May step, both ways. */
  now(): number;
  /** Rejects with the signal's reason when it is aborted before the time is over. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The part of pino that is used here. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
