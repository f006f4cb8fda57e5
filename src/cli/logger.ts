import { pino, stdTimeFunctions } from 'pino';
import type { LogLineAt } from '../base/log-events.ts';
import type { LeveledLogger } from '../base/logger.ts';
import { printable, printableJson, printableLines } from '../base/printable.ts';
import { priorityOf } from './journal.ts';

/** The log of a command, which can also report why the process ends. */
export interface CommandLog extends LeveledLogger {
  fatal(line: LogLineAt<'fatal'>, message: string): void;
  isLevelEnabled(level: string): boolean;
}

export interface LoggerOptions {
  readonly level: string;
  readonly format: 'pretty' | 'json';
  readonly colours: boolean;
  /** Whether lines go to systemd's journal. */
  readonly journal?: boolean;
  /** Receives whole lines. */
  readonly write: (line: string) => void;
}

/**
 * Creates a logger. It writes each message before the call returns, so that a dying process does not lose its
 * last messages.
 */
export async function createLogger(options: LoggerOptions): Promise<CommandLog> {
  const { level, format, colours, journal = false, write } = options;
  // Reads the level for each record, because the level may change at run time.
  const withStacks = (): boolean => logger.isLevelEnabled('debug');
  const shown = format === 'pretty' ? await prettied(colours) : printableJson;
  const logger: CommandLog = pino(
    {
      level,
      // No pid and host name: log collectors know both.
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: (error: unknown) => told(error, withStacks()),
        error: (error: unknown) => told(error, withStacks()),
      },
    },
    { write: (line: string) => write(journal ? priorityOf(levelOf(line)) + shown(line) : shown(line)) },
  );
  return logger;
}

/** Returns the level of a line, which is the line's first field. */
function levelOf(line: string): string {
  return /^\{"level":"([a-z]+)"/.exec(line)?.[1] ?? '';
}

async function prettied(colours: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const format = prettyFactory({
    colorize: colours,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    // People tell events apart by their messages; the `event` field is for programs.
    ignore: 'event',
  });
  return (line) => format(shownRecord(JSON.parse(line))) ?? line;
}

/**
 * Sanitizes a record, because it may contain texts of the store, keys and other external text. Only a stack
 * may have several lines.
 */
function shownRecord(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(shownRecord);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      printable(name),
      name === 'stack' && typeof each === 'string' ? printableLines(each) : shownRecord(each),
    ]),
  );
}

/**
 * Converts an error for the log: its class, code, message and hint, and the same of its causes. Adds their
 * stacks if `withStacks` is set.
 */
function told(error: unknown, withStacks: boolean): unknown {
  if (!(error instanceof Error)) return error;
  const { code, hint, cause } = error as Error & { readonly code?: unknown; readonly hint?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message,
    ...(typeof hint === 'string' && { hint }),
    ...(cause instanceof Error && { cause: told(cause, withStacks) }),
    ...(withStacks && { stack: error.stack }),
  };
}
