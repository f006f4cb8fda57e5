/** One content version of one path, as src/tree names it. */
export interface ContentVersion {
  /** 32 hex digits over path, etag and size: equal names are equal versions. */
  readonly name: string;
  /** The key below the prefix. */
  readonly path: string;
  /** As listed, without the quotes; if the listing has none, a date mark in its place (src/tree/date-mark.ts). */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** From the listing, in whole seconds, as milliseconds since the epoch; undefined if unknown. */
  readonly lastModified?: number | undefined;
  /** Its place in a pack of several contents, for the store that fetches it. */
  readonly place?: { readonly pack: string; readonly offset: number } | undefined;
}
