/** The part of pino that is used here. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A logger whose least severity can be changed. */
export interface LeveledLogger extends Logger {
  /** Least severity that is logged; may be set at any time. */
  level: string;
}
