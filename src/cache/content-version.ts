/** One content version of one path, as src/tree names it. */
export interface ContentVersion {
  /** 32 hex digits over path, etag and size: equal names are equal versions. */
  readonly name: string;
  /** The key below the prefix. */
  readonly path: string;
  /** As listed, without the quotes; where the listing has none, the date mark that stands for it (src/tree/date-mark.ts). */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** By the listing, in whole seconds, as milliseconds since the epoch; undefined where it is not known. */
  readonly lastModified?: number | undefined;
  /** Where it lies, where it is one of many in an object: for the store that it is fetched from. */
  readonly place?: { readonly pack: string; readonly offset: number } | undefined;
}
