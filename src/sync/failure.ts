/** Why a revalidation ended without a tree, where the store is not to blame. */
export type SyncErrorCode =
  | 'empty-source'
  | 'overdue'
  | 'unreadable-ignore-file'
  /** There is no tree yet, and the release that there is is not believed. */
  | 'release-held'
  /** There is no tree yet, and the release that there is is not to be shown yet. */
  | 'release-early';

export class SyncError extends Error {
  readonly code: SyncErrorCode;
  /** What to do, one sentence. */
  readonly hint: string;

  constructor(code: SyncErrorCode, message: string, hint: string) {
    super(message);
    this.name = 'SyncError';
    this.code = code;
    this.hint = hint;
  }
}

/** What went wrong, as status and logs show it. */
export interface Failure {
  /** The code of src/store or of SyncError; `internal` for what nobody foresaw. */
  readonly code: string;
  readonly message: string;
  /** The store's own words. */
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

/** The stable code of an error of ours, which is lower case; those of Node (`ERR_…`, `ENOENT`) were not foreseen. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[a-z]/.test(code) ? code : undefined;
}

/** The object is not what was listed: a newer listing is needed. */
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

/** Every request would fail like this one. `denied` is not among them: listing and reading are granted apart. */
export function isSourceDown(code: string | undefined): boolean {
  return code !== undefined && SOURCE_DOWN.has(code);
}
