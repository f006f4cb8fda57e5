import { printable, printableName } from '../../base/printable.ts';

/** An identifier, which must not look like another one. */
const NAMES: ReadonlySet<string> = new Set([
  'path',
  'key',
  'added',
  'changed',
  'removed',
  'source',
  'target',
  'socket',
  'directory',
]);

/** No answer is deeper. */
const MOST_LEVELS = 32;

/**
 * A daemon's answer, for people: cleans every text in it, also in place of a number. Any process may listen at a
 * socket, and a daemon passes on its store's texts. Use it only after the last request: a cleaned path is another
 * path.
 */
export function shownAnswer<T>(answer: T): T {
  return cleaned(answer, false, 0) as T;
}

function cleaned(value: unknown, isName: boolean, level: number): unknown {
  if (typeof value === 'string') return isName ? printableName(value) : printable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (level > MOST_LEVELS) return null;
  if (Array.isArray(value)) return value.map((each) => cleaned(each, isName, level + 1));
  // A client or a scrape, which are no part of an answer.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [printable(name), cleaned(each, NAMES.has(name), level + 1)]),
  );
}
