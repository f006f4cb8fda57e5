import { printable } from '../base/printable.ts';

/** The codes are stable, because metrics, status and exit codes use them as keys. */
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

/** Whether a retry of the same request may succeed, judged by the code alone. */
export function isRetryable(code: StoreErrorCode): boolean {
  return code === 'unreachable' || code === 'throttled';
}

const SAYS: Readonly<Record<StoreErrorCode, string>> = {
  unreachable: 'the store cannot be reached',
  throttled: 'the store limits the rate of requests',
  denied: 'the store refused access',
  expired: 'the credentials have expired',
  'no-such-bucket': 'the bucket does not exist',
  changed: 'the object has changed in the store',
  gone: 'the object is not in the store',
  corrupt: "the store's answer is damaged",
  'clock-skew': "this host's clock differs from the store's",
  'no-credentials': 'no credentials were found',
  'wrong-region': 'the bucket is not in this region',
  'untrusted-certificate': "the store's certificate is not trusted",
  'not-s3': 'the endpoint does not use the S3 protocol',
  'unreadable-class': 'the object is archived and cannot be read at once',
  aborted: 'the request was cancelled',
  'bad-request': 'the store refused the request',
  'bad-answer': "the store's answer cannot be used",
};

/**
 * A failure of the store. `message` says in one sentence what is wrong; it is built from code and detail. No
 * text of the error ever contains a credential.
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** The store's own message, sanitized for a terminal; empty if it sent none. */
  readonly detail: string;
  /** What to do, one sentence. */
  readonly hint: string;
  /** Whether a retry of the same request may succeed. */
  readonly retryable: boolean;

  constructor(
    code: StoreErrorCode,
    detail: string,
    hint: string,
    retryable: boolean,
    options: { readonly cause?: unknown } = {},
  ) {
    // Line ends and indentation of an error document carry no meaning.
    const said = printable(detail.trim().replace(/[\t\r\n][ \t\r\n]*/g, ' '));
    super(said === '' ? SAYS[code] : `${SAYS[code]}: ${said}`, options);
    this.name = 'StoreError';
    this.code = code;
    this.detail = said;
    this.hint = printable(hint);
    this.retryable = retryable;
  }
}
