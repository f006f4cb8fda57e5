import { printable } from '../../base/printable.ts';
import { codeOfS3 } from '../error-codes.ts';
import { isRetryable, StoreError } from '../store-error.ts';

/**
 * The maximum number of characters of a quotation from the store. The detail of an error has room for two
 * quotations.
 */
const MAX_QUOTED = 150;
/** A character of UTF-8 has at most four bytes. */
const MAX_QUOTED_BYTES = 4 * (MAX_QUOTED + 1);

export const MEND_CORRUPT =
  'If this repeats, look for a proxy between dagmount and the store that changes its answers.';
const MEND_NOT_S3 =
  'Check that the endpoint is an S3 API and that no proxy or login page answers in its place.';
const MEND_ENCODING = 'Use a store that honours encoding-type=url, or rename the key without "+" and "%".';
const MEND_REFUSED = "Act on the store's message above.";
const MEND_ABORTED = 'Nothing to do: the listing is no longer needed.';
const MEND_ENDLESS =
  'List the prefix with another client; if that listing does not end either, repair the store.';
const MEND_TOO_MANY = 'Mount a prefix with fewer objects.';

/** An answer that is cut short, garbled or contradictory. A retry may succeed. */
export function corrupt(detail: string): StoreError {
  return new StoreError('corrupt', printable(detail), MEND_CORRUPT, true);
}

/**
 * Quotes a key, or another text from the store, for an error message: cut, and without control characters.
 */
export function quoted(text: string): string {
  return `"${printable(text, MAX_QUOTED)}"`;
}

/** {@link quoted} for the bytes of a key. */
export function quotedKey(...parts: readonly Uint8Array[]): string {
  return quoted(Buffer.concat(parts).subarray(0, MAX_QUOTED_BYTES).toString());
}

/**
 * Adds the last key of the page to an error about the page's bytes, because the key shows the position in a
 * long answer. Returns other errors unchanged, because they are about the store as a whole.
 */
export function afterKey(error: unknown, key: string): unknown {
  if (!(error instanceof StoreError) || error.code !== 'corrupt') return error;
  if (error instanceof UnknownEncodingError) return error;
  return corrupt(`${error.detail}, after the key ${key}`);
}

export function endsEarly(): StoreError {
  return corrupt('the listing is cut off');
}

/** Returns the error for an answer that does not come from an S3 server. */
export function notAListing(detail: string): StoreError {
  return new StoreError('not-s3', printable(detail), MEND_NOT_S3, false);
}

export function tooManyObjects(bound: number): StoreError {
  return new StoreError('bad-request', `the prefix holds more than ${bound} objects`, MEND_TOO_MANY, false);
}

/** The store sent more than any listing can have. */
export class EndlessListingError extends StoreError {
  constructor(detail: string) {
    super('corrupt', detail, MEND_ENDLESS, false);
  }
}

export function tooManyBytes(bound: number): StoreError {
  return new StoreError(
    'bad-request',
    `the keys of the prefix are longer than ${bound} bytes in total`,
    MEND_TOO_MANY,
    false,
  );
}

export function aborted(signal: AbortSignal): StoreError {
  return new StoreError('aborted', 'the listing was cancelled', MEND_ABORTED, false, {
    cause: signal.reason,
  });
}

/** The store did not say whether it encodes keys, and this key can be read both ways. */
export class UnknownEncodingError extends StoreError {
  /** The key as the listing has it, prefix included. */
  readonly key: string;

  constructor(key: string) {
    super('corrupt', `the store does not say whether it encodes keys: ${quoted(key)}`, MEND_ENCODING, true);
    this.key = key;
  }
}

/**
 * Returns the error for an `<Error>` document in an answer with status 200. S3 sends such a document when it
 * fails after it began to answer. The document means the same as with status 500.
 */
export function refusedInAnAnswer(s3Code: string, message: string): StoreError {
  if (s3Code === '') return corrupt('the store sent an error document without a code');
  const code = codeOfS3(s3Code, 500);
  return new StoreError(code, printable(`${s3Code}: ${message}`, 500), MEND_REFUSED, isRetryable(code));
}
