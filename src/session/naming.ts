/** What an entry's key is made of, and the root's source. */
export interface Naming {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** Of every object key: empty, or ending with a slash. */
  readonly keyPrefix: string;
}
