import type { StoreErrorCode } from './store-error.ts';

/** S3's own error codes, and those of compatible stores. */
const BY_S3_CODE: ReadonlyMap<string, StoreErrorCode> = new Map([
  ['SlowDown', 'throttled'],
  ['ServiceUnavailable', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['BandwidthLimitExceeded', 'throttled'],
  ['Throttling', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['TooManyRequests', 'throttled'],
  ['TooManyRequestsException', 'throttled'],
  ['RequestThrottled', 'throttled'],
  ['SlowDownRead', 'throttled'],
  ['Busy', 'throttled'],

  ['InternalError', 'unreachable'],
  ['InternalFailure', 'unreachable'],
  ['OperationAborted', 'unreachable'],
  ['RequestTimeout', 'unreachable'],
  ['RequestTimeoutException', 'unreachable'],
  ['XMinioServerNotInitialized', 'unreachable'],

  ['AccessDenied', 'denied'],
  ['AccessDeniedException', 'denied'],
  ['AllAccessDisabled', 'denied'],
  ['AccountProblem', 'denied'],
  ['InvalidAccessKeyId', 'denied'],
  ['InvalidSecurity', 'denied'],
  ['NotSignedUp', 'denied'],
  ['SignatureDoesNotMatch', 'denied'],
  ['UnauthorizedAccess', 'denied'],
  ['Unauthorized', 'denied'],

  ['ExpiredToken', 'expired'],
  ['ExpiredTokenException', 'expired'],
  ['InvalidToken', 'expired'],
  ['TokenRefreshRequired', 'expired'],

  ['NoSuchBucket', 'no-such-bucket'],
  ['NoSuchAccessPoint', 'no-such-bucket'],
  ['InvalidBucketName', 'no-such-bucket'],

  ['NoSuchKey', 'gone'],
  ['NoSuchVersion', 'gone'],
  ['PreconditionFailed', 'changed'],
  ['InvalidRange', 'changed'],

  ['RequestTimeTooSkewed', 'clock-skew'],
  ['RequestExpired', 'clock-skew'],

  ['InvalidObjectState', 'unreadable-class'],

  ['AuthorizationHeaderMalformed', 'wrong-region'],
  ['IllegalLocationConstraintException', 'wrong-region'],
  ['PermanentRedirect', 'wrong-region'],
  ['TemporaryRedirect', 'wrong-region'],
  ['Redirect', 'wrong-region'],
  ['IncorrectEndpoint', 'wrong-region'],
]);

/** The error code for an HTTP status, used if the S3 code is unknown or missing (HEAD). */
export function codeOfStatus(status: number): StoreErrorCode {
  if (status === 429 || status === 503) return 'throttled';
  if (status >= 500 || status === 408) return 'unreachable';
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 || status === 410) return 'gone';
  if (status === 412 || status === 416) return 'changed';
  return status === 301 || status === 307 ? 'wrong-region' : 'bad-request';
}

export function codeOfS3(s3Code: string, status: number): StoreErrorCode {
  return BY_S3_CODE.get(s3Code) ?? codeOfStatus(status);
}

/** OpenSSL's verification results, as Node names them. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UND_ERR_PRX_TLS',
]);

/** Failures that show that the port answers in another protocol than the expected one. */
const NOT_S3: ReadonlySet<string> = new Set([
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'UND_ERR_HEADERS_OVERFLOW',
  'EBADMSG',
]);

const CLOSED_HERE: ReadonlySet<string> = new Set(['ECANCELED', 'UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);

/**
 * Maps the `code` of an error of Node.js, undici or src/store/http/direct. Every unlisted code is a network
 * error.
 */
export function codeOfFailure(failure: string): StoreErrorCode {
  if (UNTRUSTED.has(failure)) return 'untrusted-certificate';
  if (NOT_S3.has(failure) || failure.startsWith('HPE_') || failure.startsWith('ERR_SSL_')) return 'not-s3';
  // The client itself closed the connection.
  if (CLOSED_HERE.has(failure)) return 'aborted';
  return failure === 'UND_ERR_INVALID_ARG' || failure === 'ERR_INVALID_CHAR' ? 'bad-request' : 'unreachable';
}
