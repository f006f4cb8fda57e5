import { printable } from '../base/printable.ts';

/** Stable: metrics, status and exit codes are keyed by it. */
export type StoreErrorCode =
  | 'unreachable'
  | 'throttled'
  | 'denied'
  | 'expired'
  | 'no-such-bucket'
  | 'changed'
  | 'gone'
  | 'corrupt'
  | 'clock-skew'
  | 'no-credentials'
  | 'wrong-region'
  | 'untrusted-certificate'
  | 'not-s3'
  | 'unreadable-class'
  | 'aborted'
  | 'bad-request'
  | 'bad-answer';

/** Whether the same request may succeed in a moment, by its code alone. */
export function isRetryable(code: StoreErrorCode): boolean {
  return code === 'unreachable' || code === 'throttled';
}

const SAYS: Readonly<Record<StoreErrorCode, string>> = {
  unreachable: 'the store cannot be reached',
  throttled: 'the store asks for fewer requests',
  denied: 'the store refused access',
  expired: 'the credentials have expired',
  'no-such-bucket': 'there is no such bucket',
  changed: 'the object has changed in the store',
  gone: 'the object is not in the store',
  corrupt: 'what the store sent is not what it has',
  'clock-skew': "this host's clock differs from the store's",
  'no-credentials': 'no credentials were found',
  'wrong-region': 'the bucket is not in this region',
  'untrusted-certificate': "the store's certificate is not trusted",
  'not-s3': 'the endpoint does not speak S3',
  'unreadable-class': 'the object is archived and cannot be read at once',
  aborted: 'the request was given up',
  'bad-request': 'the store refused the request',
  'bad-answer': 'the store answered in a way that cannot be used',
};

/**
 * What went wrong with the store. `message` is one sentence of what is wrong, made of the code and the detail;
 * none of its texts ever carries a credential.
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** The store's own words, cleaned for a terminal; empty where it said nothing. */
  readonly detail: string;
  /** What to do, one sentence. */
  readonly hint: string;
  /** Whether the same request may succeed in a moment. */
  readonly retryable: boolean;

  constructor(
    code: StoreErrorCode,
    detail: string,
    hint: string,
    retryable: boolean,
    options: { readonly cause?: unknown } = {},
  ) {
    // Of a document, its line ends and indentation say nothing.
    const said = printable(detail.trim().replace(/[\t\r\n][ \t\r\n]*/g, ' '));
    super(said === '' ? SAYS[code] : `${SAYS[code]}: ${said}`, options);
    this.name = 'StoreError';
    this.code = code;
    this.detail = said;
    this.hint = printable(hint);
    this.retryable = retryable;
  }
}
