import { CodedError } from '../base/coded-error.ts';

/**
 * - `cache-unwritable`: the directory cannot be made or written
 * - `cache-unsafe`: another user owns it or may write to it
 * - `cache-in-use`: another daemon holds its lock
 * - `cache-closed`: asked for content after close()
 */
export type CacheErrorCode = 'cache-unwritable' | 'cache-unsafe' | 'cache-in-use' | 'cache-closed';

/** An unusable cache: one sentence of what is wrong, one of what to do. */
export class CacheError extends CodedError<CacheErrorCode> {
  override readonly name = 'CacheError';
}
