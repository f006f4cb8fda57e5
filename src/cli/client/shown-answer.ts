import { printable, printableName } from '../../base/printable.ts';

/** Fields whose values are identifiers. Two different identifiers must not look the same after sanitizing. */
const NAMES: ReadonlySet<string> = new Set([
  'path',
  'tree',
  'key',
  'added',
  'changed',
  'removed',
  'source',
  'target',
  'socket',
  'directory',
]);

/** Maximum depth of an answer. No real answer is nested more deeply; deeper values become null. */
const MOST_LEVELS = 32;

/**
 * Prepares a daemon's answer for people: sanitizes every text in it, even where a number is expected. Any process may
 * listen on a socket, and a daemon passes on texts from its store. Call this only after the last request, because a
 * sanitized path is a different path.
 */
export function shownAnswer<T>(answer: T): T {
  return cleaned(answer, false, 0) as T;
}

function cleaned(value: unknown, isName: boolean, level: number): unknown {
  if (typeof value === 'string') return isName ? printableName(value) : printable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (level > MOST_LEVELS) return null;
  if (Array.isArray(value)) return value.map((each) => cleaned(each, isName, level + 1));
  // Keeps a client or a scrape as it is, because it is not part of an answer.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [printable(name), cleaned(each, NAMES.has(name), level + 1)]),
  );
}
