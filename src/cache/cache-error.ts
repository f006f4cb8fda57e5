/**
 * - `cache-unwritable`: the directory cannot be made or written
 * - `cache-unsafe`: another user owns it or may write to it
 * - `cache-in-use`: another daemon holds its lock
 * - `cache-closed`: asked for content after close()
 */
export type CacheErrorCode = 'cache-unwritable' | 'cache-unsafe' | 'cache-in-use' | 'cache-closed';

/** An unusable cache: one sentence of what is wrong, one of what to do. */
export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: CacheErrorCode;
  readonly hint: string;

  constructor(code: CacheErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
