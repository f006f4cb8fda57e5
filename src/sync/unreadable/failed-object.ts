import type { ContentVersion, Generation } from '../../tree/index.ts';
import { codeOf, type Failure, failureOf } from '../failure.ts';

/** An object that could not be fetched while the store gave others. */
export interface FailedObject {
  readonly version: ContentVersion;
  readonly failure: Failure;
  /**
   * Whether the store refused the object (403, 400, an archived class), and the object replaces no readable
   * version, so that waiting would preserve nothing.
   */
  readonly refused: boolean;
}

/** An object that is named to operators. */
export interface NamedObject {
  /** Below the prefix. */
  readonly path: string;
  /** The store's answer. */
  readonly detail: string;
}

/** The maximum number of objects that one line names; it counts the others. */
export const MOST_NAMED = 5;

/** The maximum number of characters that are kept of an answer. */
const MOST_ANSWER = 500;

/** The store's answer to a request for an object, in one line. */
export function answerOf({ code, message, detail }: Failure): string {
  // The message says what is wrong; the detail is the store's own message.
  const words = detail === undefined || message.includes(detail) ? message : `${message} (${detail})`;
  return `${code}: ${words}`.slice(0, MOST_ANSWER);
}

export function named(objects: readonly FailedObject[]): readonly NamedObject[] {
  return objects
    .slice(0, MOST_NAMED)
    .map(({ version, failure }) => ({ path: version.path, detail: answerOf(failure) }));
}

export function failedObject(
  generation: Generation,
  index: number,
  error: unknown,
  replacesReadable: boolean,
): FailedObject {
  const refused = !replacesReadable && isRefusal(codeOf(error));
  return { version: generation.version(index), failure: failureOf(error), refused };
}

/**
 * Whether a retry would get the same answer: the store answers 400 for SSE-C objects, and a key policy may
 * deny a single object.
 */
export function isRefusal(code: string | undefined): boolean {
  return code === 'unreadable-class' || code === 'denied' || code === 'bad-request';
}

/**
 * Whether the path is that of an .airflowignore file. Airflow opens these files outside any try, in every
 * directory: if one gives EIO, Airflow's processor exits.
 */
export function isIgnoreFile(path: string): boolean {
  return path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`);
}

/** The indices of all ignore files. */
export function ignoreFiles(generation: Generation): Uint32Array {
  const name = Buffer.from(IGNORE_FILE);
  const found: number[] = [];
  for (let index = 1; index < generation.entries; index++) {
    if (!generation.isDirectory(index) && name.equals(generation.name(index))) found.push(index);
  }
  return Uint32Array.from(found);
}

const IGNORE_FILE = '.airflowignore';
