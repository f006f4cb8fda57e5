import type { ContentVersion, Generation } from '../../tree/index.ts';
import { codeOf, type Failure, failureOf } from '../failure.ts';

/** An object that could not be fetched while the store gave others. */
export interface FailedObject {
  readonly version: ContentVersion;
  readonly failure: Failure;
  /**
   * The store refused it (403, 400, an archived class), and it replaces no readable version: waiting would preserve
   * nothing.
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

/** Objects named in one line; the others are counted. */
export const MOST_NAMED = 5;

/** Characters kept of an answer. */
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

/** A retry would give the same answer: SSE-C objects answer 400, and a key policy may deny one. */
export function isRefusal(code: string | undefined): boolean {
  return code === 'unreadable-class' || code === 'denied' || code === 'bad-request';
}

/** Airflow opens these outside any try, in every directory: if one gives EIO, its processor exits. */
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
