import { StoreError, type StoreErrorCode } from './store-error.ts';

const MAX_DETAIL_CHARACTERS = 500;

const MEND_CORRUPT =
  'If this goes on, look for what stands between dagmount and the store and changes its answers.';
const MEND_NOT_S3 =
  'Check that the endpoint is an S3 API and that no proxy or login page answers in its place.';
const MEND_ENCODING = 'Use a store that honours encoding-type=url, or rename the key without "+" and "%".';
const MEND_REFUSED = "See the store's own words.";
const MEND_ABORTED = 'Nothing: the listing was no longer wanted.';
const MEND_TOO_MANY = 'Mount a prefix with fewer objects.';

const ERROR_CODES: ReadonlyMap<string, StoreErrorCode> = new Map([
  ['SlowDown', 'throttled'],
  ['ServiceUnavailable', 'throttled'],
  ['InternalError', 'unreachable'],
  ['RequestTimeout', 'unreachable'],
  ['AccessDenied', 'denied'],
  ['ExpiredToken', 'expired'],
  ['NoSuchBucket', 'no-such-bucket'],
  ['RequestTimeTooSkewed', 'clock-skew'],
]);

/** An answer that cannot be right as it is: cut short, garbled, contradictory. The next one may be. */
export function corrupt(detail: string): StoreError {
  return new StoreError('corrupt', detail, MEND_CORRUPT, true);
}

export function endsEarly(): StoreError {
  return corrupt('the listing ends before its end');
}

/** An answer of something that does not speak S3. */
export function notAListing(detail: string): StoreError {
  return new StoreError('not-s3', detail, MEND_NOT_S3, false);
}

export function tooManyObjects(bound: number): StoreError {
  return new StoreError('bad-request', `the prefix holds more than ${bound} objects`, MEND_TOO_MANY, false);
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
    super(
      'corrupt',
      `the store does not say whether it encodes keys: ${JSON.stringify(key)}`,
      MEND_ENCODING,
      true,
    );
    this.key = key;
  }
}

/** An `<Error>` document in an answer with status 200, as S3 sends when it fails after it began to answer. */
export function refusedInAnAnswer(code: string, message: string): StoreError {
  const detail = printable(`${code || 'an error without a code'}: ${message}`);
  const known = ERROR_CODES.get(code);
  return known === undefined
    ? corrupt(detail)
    : new StoreError(known, detail, MEND_REFUSED, known === 'throttled' || known === 'unreachable');
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_DETAIL_CHARACTERS);
}
