/** The names of a tree in the store: its source, and the prefixes of its objects' keys. */
export interface Naming {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** The prefix of every object key: empty, or ending with a slash. */
  readonly keyPrefix: string;
  /**
   * In a release, the prefix of every pack's key. Undefined for a tree in which each file is an object of its
   * own.
   */
  readonly packPrefix?: string | undefined;
}
