import { printable, printableJson } from '../base/printable.ts';
import { displayWidth, padded } from './display-width.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Formats bytes for people: `0 B`, `512 B`, `1.2 MiB`. */
export function formatSize(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  // A value that would be rounded to 1024 is shown as 1.0 of the next unit.
  while (amount >= 1023.95 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** Formats a count as `1,234,567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Formats a count with its noun: `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Formats milliseconds for people: `250 ms`, `3 s`, `2 min 5 s`, `4 h 10 min`, `3 d 2 h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? joined(hours, 'h', minutes % 60, 'min')
    : joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * Formats `3 s ago`; both times are milliseconds since the epoch. If the clock was set back, the result is `just now`.
 */
export function formatAgo(then: number, now: number): string {
  return now - then < 1000 ? 'just now' : `${formatDuration(now - then)} ago`;
}

/** Formats the output of --json: one document, without characters that a terminal interprets. */
export function formatJson(document: unknown): string {
  return `${printableJson(JSON.stringify(document, undefined, 2))}\n`;
}

/**
 * Formats a table. Its columns are as wide as their widest cell, and separated by two blanks; lines have no
 * trailing blanks.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [header, ...rows].map((row) => row.map((cell) => printable(cell)));
  const widths = header.map((_, column) => Math.max(...shown.map((row) => displayWidth(row[column] ?? ''))));
  return shown
    .map(
      (row) =>
        `${row
          .map((cell, column) => padded(cell, widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Breaks a text at blanks into lines of at most `width` characters; each line starts with `indent`. */
export function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => `${indent}${each}\n`).join('');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
