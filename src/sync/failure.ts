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
  /** The step that an operator accepts cannot be stored in the state directory, so it is not accepted. */
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
 * Returns the stable code of an error of dagmount, which is lower case. Returns undefined for any other
 * error: codes of Node.js (`ERR_…`, `ENOENT`) are unexpected here.
 */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[a-z]/.test(code) ? code : undefined;
}

/** Whether the code says that an object differs from the listed one, so that a newer listing is needed. */
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

/**
 * Whether the code says that every request would fail in the same way. `denied` does not, because permissions
 * to list and to read are separate.
 */
export function isSourceDown(code: string | undefined): boolean {
  return code !== undefined && SOURCE_DOWN.has(code);
}
