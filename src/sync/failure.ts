import { CodedError } from '../base/coded-error.ts';

/** Why a revalidation ended without a tree, if the store did not fail. */
export type SyncErrorCode =
  | 'empty-source'
  | 'overdue'
  | 'unreadable-ignore-file'
  /** There is no tree yet, and the available release was rejected. */
  | 'release-held'
  /** There is no tree yet, and the available release may not be shown yet. */
  | 'release-early'
  /** The newest step cannot be kept, so that no earlier one can be accepted. */
  | 'state-dir-unwritable';

export class SyncError extends CodedError<SyncErrorCode> {
  override readonly name = 'SyncError';
}

/** A failure, as status and logs show it. */
export interface Failure {
  /** The code of src/store or of SyncError; `internal` for an unexpected error. */
  readonly code: string;
  readonly message: string;
  /** The store's own message. */
  readonly detail: string | undefined;
  /** What to do, one sentence. */
  readonly hint: string | undefined;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return { code: 'internal', message: String(error), detail: undefined, hint: undefined };
  }
  const { detail, hint } = error as { readonly detail?: unknown; readonly hint?: unknown };
  return {
    code: codeOf(error) ?? 'internal',
    message: error.message,
    detail: typeof detail === 'string' ? detail : undefined,
    hint: typeof hint === 'string' ? hint : undefined,
  };
}

/**
 * The stable code of dagmount's own error, which is lower case; Node.js codes (`ERR_…`, `ENOENT`) are unexpected
 * here.
 */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[a-z]/.test(code) ? code : undefined;
}

/** The object differs from the listed one: a newer listing is needed. */
export function isStale(code: string | undefined): boolean {
  return code === 'changed' || code === 'gone';
}

const SOURCE_DOWN = new Set([
  'unreachable',
  'throttled',
  'expired',
  'no-credentials',
  'clock-skew',
  'untrusted-certificate',
  'wrong-region',
  'no-such-bucket',
  'not-s3',
]);

/** Every request would fail in the same way. Not `denied`: permissions to list and to read are separate. */
export function isSourceDown(code: string | undefined): boolean {
  return code !== undefined && SOURCE_DOWN.has(code);
}
