/** The place of a content that is stored with others in one object (a pack). */
export interface ContentPlace {
  /** The SHA-256 of the pack, 64 hex digits. */
  readonly pack: string;
  /** Offset of the content's first byte in the pack. */
  readonly offset: number;
}

/**
 * One version of the content of one path. In a release, it is the version of every path with this content.
 */
export interface ContentVersion {
  /** 32 hex digits, as `versionName` of src/tree/identity.ts makes them: equal names are equal versions. */
  readonly name: string;
  /** The path, relative to the prefix. */
  readonly path: string;
  /** The listed ETag without its quotes, or what stands in its place: see `listedEtag` of src/tree. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  /** The listed date in whole seconds, as milliseconds since the epoch; undefined if it is not known. */
  readonly lastModified?: number | undefined;
  /** Where the content is in a pack; undefined if the content is a whole object. */
  readonly place?: ContentPlace | undefined;
}
