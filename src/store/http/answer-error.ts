import type { IncomingHttpHeaders } from 'node:http';
import { printable } from '../../base/printable.ts';
import { codeOfS3, codeOfStatus } from '../error-codes.ts';
import { arnOf, type ResolvedTarget } from '../resolved-target.ts';
import { isRetryable, StoreError, type StoreErrorCode } from '../store-error.ts';
import type { ErrorDocument } from './error-document.ts';
import { header } from './headers.ts';

export type Operation = 'list' | 'get' | 'head';

/** An unexpected answer to a request. */
export interface RefusedAnswer {
  readonly operation: Operation;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined: the body is missing, or is not an S3 error document. */
  readonly document: ErrorDocument | undefined;
  readonly target: ResolvedTarget;
  /** Whether this store has given a valid S3 answer before. */
  readonly known: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function errorOfAnswer(answer: RefusedAnswer): StoreError {
  const { document, status, operation } = answer;
  if (status === 407) return proxyRefused(answer);
  if (document !== undefined) {
    const code = codeOfS3(document.code, status);
    return storeError(code, wordsOf(document), answer);
  }
  // S3 sends an error document with a 503. A load balancer in front of a store that is down does not.
  const code = status === 503 && operation !== 'head' ? 'unreachable' : codeOfStatus(status);
  const redirected = redirection(answer);
  if (redirected !== undefined) return redirected;
  // HEAD has no body that would distinguish an S3 store from another server on this port.
  if (operation === 'head' || isRetryable(code)) return storeError(code, `HTTP ${status}`, answer);
  if (code === 'denied' && answer.known) return storeError(code, `HTTP ${status}`, answer);
  // A 404 without an S3 document says nothing about the object: it may come from a load balancer.
  return notS3(answer, `HTTP ${status} without an S3 error document`);
}

/** Returns the error for a server that answered, but not with the S3 protocol. */
export function notS3(answer: Pick<RefusedAnswer, 'target'>, detail: string): StoreError {
  const { host } = answer.target;
  const hint = `Check --endpoint-url, and that no proxy or login page answers in place of ${host}.`;
  return new StoreError('not-s3', `${host}: ${detail}`, hint, false);
}

/** Returns the error for an unusable answer for one object. This error says nothing about other objects. */
export function badAnswer(detail: string): StoreError {
  const hint = 'Check this object, and any proxy between dagmount and the store.';
  return new StoreError('bad-answer', detail, hint, false);
}

function storeError(code: StoreErrorCode, words: string, answer: RefusedAnswer): StoreError {
  const detail = code === 'clock-skew' ? `${words}${skewOf(answer)}` : words;
  return new StoreError(code, detail, hintOf(code, answer), isRetryable(code));
}

function wordsOf(document: ErrorDocument): string {
  return document.message === '' ? document.code : `${document.code}: ${document.message}`;
}

function redirection(answer: RefusedAnswer): StoreError | undefined {
  const { status, target, headers } = answer;
  if (status < 300 || status > 399 || status === 304 || target.endpoint === 'aws') return undefined;
  const location = printable(header(headers, 'location') ?? 'several addresses, or to none', 200);
  const hint = 'Set --endpoint-url to the address of the store itself.';
  return new StoreError('not-s3', `${target.host} redirects to ${location}`, hint, false);
}

function proxyRefused({ status }: RefusedAnswer): StoreError {
  const hint = 'Add user name and password to the address of the proxy: http://USER:PASSWORD@HOST:PORT.';
  return new StoreError(
    'unreachable',
    `HTTP ${status}: the proxy requires a user name and password`,
    hint,
    false,
  );
}

function skewOf({ headers, now }: RefusedAnswer): string {
  const theirs = Date.parse(header(headers, 'date') ?? '');
  if (Number.isNaN(theirs)) return '';
  const seconds = Math.round((now - theirs) / 1000);
  return ` (this host is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead'})`;
}

function hintOf(code: StoreErrorCode, answer: RefusedAnswer): string {
  const { target } = answer;
  switch (code) {
    case 'throttled':
      return 'Wait, and lower --concurrency if this repeats.';
    case 'unreachable':
      return 'Wait for the store to recover.';
    case 'denied':
      return denialHint(answer);
    case 'expired':
      return 'Renew the credentials, or use a source that renews them automatically.';
    case 'no-such-bucket':
      return `Check the name ${target.bucket}, and that --endpoint-url and the credentials belong to the right account.`;
    case 'changed':
    case 'gone':
      return 'The next listing shows what the store has now.';
    case 'clock-skew':
      return 'Set the clock of this host, and keep it set (NTP).';
    case 'wrong-region':
      return `Set --region to the region of ${target.bucket}: it is not ${target.region}.`;
    case 'unreadable-class':
      return 'Restore the object from its archive, or leave it out with --exclude.';
    default:
      return "Act on the store's message above.";
  }
}

function denialHint({ target, document, operation }: RefusedAnswer): string {
  if (target.anonymous) {
    return `${target.bucket} is not public: sign requests (omit --no-sign-request).`;
  }
  if (document?.code === 'InvalidAccessKeyId') {
    return 'Check which credentials are found (AWS_PROFILE, AWS_ACCESS_KEY_ID, the files in ~/.aws).';
  }
  if (document?.code === 'SignatureDoesNotMatch') {
    return 'Check the secret access key, and that no proxy alters requests.';
  }
  const { bucket } = target;
  const resource = arnOf(bucket);
  return operation === 'list'
    ? `Grant s3:ListBucket on ${resource}.`
    : `Grant s3:GetObject on ${resource}/${target.prefix}*.`;
}
