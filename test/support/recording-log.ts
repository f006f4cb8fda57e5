import assert from 'node:assert/strict';
import {
  type LogEvent,
  type LogLevel,
  type LogLineAt,
  logEvents,
  TREE_FIELD,
} from '../../src/base/log-events.ts';
import type { Logger } from '../../src/base/logger.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps the lines of a log without their messages: no test may depend on a message. */
export class RecordingLog implements Logger {
  readonly lines: LogLine[] = [];

  debug(line: LogLineAt<'debug'>): void {
    this.#record('debug', line);
  }

  info(line: LogLineAt<'info'>): void {
    this.#record('info', line);
  }

  warn(line: LogLineAt<'warn'>): void {
    this.#record('warn', line);
  }

  error(line: LogLineAt<'error'>): void {
    this.#record('error', line);
  }

  #record(level: LogLevel, { event, ...fields }: LogLineAt<LogLevel>): void {
    assertDeclared(event, fields);
    this.lines.push({ level, event, fields });
  }

  /** The fields of this event's lines, without those at the debug level. */
  told(event: LogEvent): readonly LogLine['fields'][] {
    return this.lines
      .filter((line) => line.event === event && line.level !== 'debug')
      .map(({ fields }) => fields);
  }

  count(level: LogLevel, event?: LogEvent): number {
    return this.lines.filter((line) => line.level === level && (event ?? line.event) === line.event).length;
  }
}

/** Checks what the compiler does not see: fields that a spread adds to a line. */
export function assertDeclared(event: string, fields: object): void {
  assert.ok(event in logEvents, `the event "${event}" is not declared in src/base/log-events.ts`);
  const declared: readonly string[] = logEvents[event as LogEvent].fields;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || name === TREE_FIELD) continue;
    assert.ok(declared.includes(name), `the field "${name}" of the event "${event}" is not declared`);
  }
}
