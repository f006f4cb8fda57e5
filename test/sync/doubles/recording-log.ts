import type { Logger } from '../../../src/base/logger.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export class RecordingLog implements Logger {
  readonly lines: LogLine[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }

  /** The fields of the lines of this event that are more than debugging. */
  told(event: string): readonly { readonly event?: unknown }[] {
    return this.lines
      .filter(({ level }) => level !== 'debug')
      .map(({ fields }): { readonly event?: unknown } => fields)
      .filter((fields) => fields.event === event);
  }

  count(level: LogLine['level'], part = ''): number {
    return this.lines.filter((line) => line.level === level && line.message.includes(part)).length;
  }
}
