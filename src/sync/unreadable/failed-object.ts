import type { ContentVersion, Generation } from '../../tree/index.ts';
import { codeOf, type Failure, failureOf } from '../failure.ts';

/** An object that could not be fetched while the store gave others. */
export interface FailedObject {
  readonly version: ContentVersion;
  readonly failure: Failure;
  /**
   * The store refused it (403, 400, an archived class), and there is no readable version that it would replace:
   * waiting would keep nothing readable.
   */
  readonly refused: boolean;
}

/** An object that is named to operators. */
export interface NamedObject {
  /** Below the prefix. */
  readonly path: string;
  /** What the store answered. */
  readonly detail: string;
}

/** Objects named in one line; the others are counted. */
export const MOST_NAMED = 5;

/** Characters of an answer that are kept. */
const MOST_ANSWER = 500;

/** What the store answered when an object was asked for, in one line. */
export function answerOf({ code, message, detail }: Failure): string {
  // The message says what is wrong, the detail is what the store itself said.
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

/** Asked again, the store would say the same: SSE-C objects answer 400, a key policy may deny one. */
export function isRefusal(code: string | undefined): boolean {
  return code === 'unreadable-class' || code === 'denied' || code === 'bad-request';
}

/** Airflow opens these outside any try, in every directory: where one gives EIO, its processor ends. */
export function isIgnoreFile(path: string): boolean {
  return path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`);
}

/** The indices of all of them. */
export function ignoreFiles(generation: Generation): Uint32Array {
  const name = Buffer.from(IGNORE_FILE);
  const found: number[] = [];
  for (let index = 1; index < generation.entries; index++) {
    if (!generation.isDirectory(index) && name.equals(generation.name(index))) found.push(index);
  }
  return Uint32Array.from(found);
}

const IGNORE_FILE = '.airflowignore';
