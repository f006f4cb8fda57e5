import type { LogLineAt, NothingElse } from './log-events.ts';

/**
 * The part of pino that is used here. A line names an event that log-events.ts declares for the line's level, with
 * fields declared for that event.
 */
export interface Logger {
  debug<L extends LogLineAt<'debug'>>(line: L & NothingElse<L>, message: string): void;
  info<L extends LogLineAt<'info'>>(line: L & NothingElse<L>, message: string): void;
  warn<L extends LogLineAt<'warn'>>(line: L & NothingElse<L>, message: string): void;
  error<L extends LogLineAt<'error'>>(line: L & NothingElse<L>, message: string): void;
}

/** A logger whose least severity can be changed. */
export interface LeveledLogger extends Logger {
  /** Least severity that is logged; may be set at any time. */
  level: string;
}
