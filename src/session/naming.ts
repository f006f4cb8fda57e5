/** The key prefix of every entry, and the root's source. */
export interface Naming {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** The prefix of every object key: empty, or ending with a slash. */
  readonly keyPrefix: string;
}
