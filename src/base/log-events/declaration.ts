/** The level names of the log. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogEventDeclaration {
  readonly levels: readonly LogLevel[];
  /** What the line may carry beside event, level, time and message. */
  readonly fields: readonly string[];
  /** For docs/reference.md: one sentence on what happened, and one on what an operator should do, if anything. */
  readonly meaning: string;
}
