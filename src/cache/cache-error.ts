import { CodedError } from '../base/coded-error.ts';

/**
 * - `cache-unwritable`: the cache directory cannot be made or written
 * - `cache-unsafe`: another user owns the directory or may write to it
 * - `cache-in-use`: another daemon holds the lock of the directory
 * - `cache-closed`: content was requested after close()
 */
export type CacheErrorCode = 'cache-unwritable' | 'cache-unsafe' | 'cache-in-use' | 'cache-closed';

/**
 * The cache cannot be used. `message` says in one sentence what is wrong, and `hint` in one sentence what to
 * do.
 */
export class CacheError extends CodedError<CacheErrorCode> {
  override readonly name = 'CacheError';
}
