/** How files are named by the store, and the root's source. */
export interface Naming {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** The prefix of every object key: empty, or ending with a slash. */
  readonly keyPrefix: string;
  /** The prefix of the key of every pack, of a release; undefined: each file is an object of its own. */
  readonly packPrefix?: string | undefined;
}
