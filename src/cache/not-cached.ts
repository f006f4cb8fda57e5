/**
 * The content is missing or corrupt on disk, and the caller requested `localOnly`. This error never leaves
 * the daemon.
 */
export class NotCached extends Error {
  override readonly name = 'NotCached';
  readonly code = 'not-cached';

  constructor(path: string) {
    super(`${path} is not in the cache.`);
  }
}
