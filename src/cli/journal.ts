import { fstatSync } from 'node:fs';

/**
 * The priorities of the log levels, as syslog numbers them. systemd's journal takes the number at the
 * beginning of a line as the line's priority.
 */
const PRIORITIES: Readonly<Record<string, number>> = { fatal: 2, error: 3, warn: 4, info: 6 };
const DEBUG = 7;

/**
 * Whether what is written to a descriptor goes to systemd's journal.
 * @param stream the variable JOURNAL_STREAM, which child processes inherit although their output may go elsewhere
 */
export function isJournal(stream: string | undefined, fd: number): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** The prefix that gives a line its priority for `journalctl -p warning`. The journal removes the prefix. */
export function priorityOf(level: string): string {
  return `<${PRIORITIES[level] ?? DEBUG}>`;
}
