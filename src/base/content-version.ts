/** The place of a content that is stored with others in one object (a pack). */
export interface ContentPlace {
  /** The SHA-256 of the pack, 64 hex digits. */
  readonly pack: string;
  /** Offset of the content's first byte in the pack. */
  readonly offset: number;
}

/** One version of the content of one path; in a release, of every path with this content. */
export interface ContentVersion {
  /** 32 hex digits, as `versionName` of src/tree/identity.ts makes them: equal names are equal versions. */
  readonly name: string;
  /** Below the prefix. */
  readonly path: string;
  /** As listed, without the quotes, or its replacement: see `listedEtag` of src/tree. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** The listed date in whole seconds, as milliseconds since the epoch; undefined if it is not known. */
  readonly lastModified?: number | undefined;
  /** Undefined: the content is a whole object. */
  readonly place?: ContentPlace | undefined;
}
