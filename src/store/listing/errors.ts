import { printable } from '../../base/printable.ts';
import { codeOfS3 } from '../error-codes.ts';
import { isRetryable, StoreError } from '../store-error.ts';

/** Characters of a text of the store in an error: two of them fit into the detail of one. */
const MAX_QUOTED = 150;
/** A character of UTF-8 has at most four bytes. */
const MAX_QUOTED_BYTES = 4 * (MAX_QUOTED + 1);

export const MEND_CORRUPT =
  'If this goes on, look for what stands between dagmount and the store and changes its answers.';
const MEND_NOT_S3 =
  'Check that the endpoint is an S3 API and that no proxy or login page answers in its place.';
const MEND_ENCODING = 'Use a store that honours encoding-type=url, or rename the key without "+" and "%".';
const MEND_REFUSED = "See the store's own words.";
const MEND_ABORTED = 'Nothing: the listing was no longer wanted.';
const MEND_ENDLESS =
  'List the prefix with another client: if that does not come to an end either, repair the store.';
const MEND_TOO_MANY = 'Mount a prefix with fewer objects.';

/** An answer that cannot be right as it is: cut short, garbled, contradictory. The next one may be. */
export function corrupt(detail: string): StoreError {
  return new StoreError('corrupt', printable(detail), MEND_CORRUPT, true);
}

/** A key, or another text of the store, as errors name it: in quotes, cut, without control characters. */
export function quoted(text: string): string {
  return `"${printable(text, MAX_QUOTED)}"`;
}

/** {@link quoted} for the bytes of a key. */
export function quotedKey(...parts: readonly Uint8Array[]): string {
  return quoted(Buffer.concat(parts).subarray(0, MAX_QUOTED_BYTES).toString());
}

/**
 * Adds to an error about the bytes of a page which key the page held last: where in a long answer to look. Errors of
 * other kinds say what the store means, whatever it had listed by then.
 */
export function afterKey(error: unknown, key: string): unknown {
  if (!(error instanceof StoreError) || error.code !== 'corrupt') return error;
  if (error instanceof UnknownEncodingError) return error;
  return corrupt(`${error.detail}, after the key ${key}`);
}

export function endsEarly(): StoreError {
  return corrupt('the listing ends before its end');
}

/** An answer of something that does not speak S3. */
export function notAListing(detail: string): StoreError {
  return new StoreError('not-s3', printable(detail), MEND_NOT_S3, false);
}

export function tooManyObjects(bound: number): StoreError {
  return new StoreError('bad-request', `the prefix holds more than ${bound} objects`, MEND_TOO_MANY, false);
}

/** The store answers more than a listing can be. */
export class EndlessListingError extends StoreError {
  constructor(detail: string) {
    super('corrupt', detail, MEND_ENDLESS, false);
  }
}

export function tooManyBytes(bound: number): StoreError {
  return new StoreError(
    'bad-request',
    `the keys of the prefix are over ${bound} bytes`,
    MEND_TOO_MANY,
    false,
  );
}

export function aborted(signal: AbortSignal): StoreError {
  return new StoreError('aborted', 'the listing was given up', MEND_ABORTED, false, { cause: signal.reason });
}

/** The store did not say whether it encodes keys, and this key has two readings. */
export class UnknownEncodingError extends StoreError {
  /** The key as the listing has it, prefix included. */
  readonly key: string;

  constructor(key: string) {
    super('corrupt', `the store does not say whether it encodes keys: ${quoted(key)}`, MEND_ENCODING, true);
    this.key = key;
  }
}

/**
 * An `<Error>` document in an answer with status 200, as S3 sends when it fails after it began to answer: what it
 * means is what it would have meant with status 500.
 */
export function refusedInAnAnswer(s3Code: string, message: string): StoreError {
  if (s3Code === '') return corrupt('the store sent an error without a code');
  const code = codeOfS3(s3Code, 500);
  return new StoreError(code, printable(`${s3Code}: ${message}`, 500), MEND_REFUSED, isRetryable(code));
}
