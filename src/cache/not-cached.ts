/** `localOnly` was requested, and the content is missing or corrupt. Never leaves the daemon. */
export class NotCached extends Error {
  override readonly name = 'NotCached';
  readonly code = 'not-cached';

  constructor(path: string) {
    super(`${path} is not in the cache.`);
  }
}
