/** One content version of one path, as src/tree names it. */
export interface ContentVersion {
  /** 32 hex digits over path, etag and size: equal names are equal versions. */
  readonly name: string;
  /** The key below the prefix. */
  readonly path: string;
  /** Without the quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}
