/** Only what is here was asked for, and it is not, or not as it was stored. Never leaves the daemon. */
export class NotCached extends Error {
  override readonly name = 'NotCached';
  readonly code = 'not-cached';

  constructor(path: string) {
    super(`${path} is not in the cache.`);
  }
}
