/**
 * One complete listing, in columns, from src/store. `keys` holds the raw bytes below the prefix, consecutive in the
 * order of the listing; a key over 4,096 bytes is cut to its first 4,097 to 4,100.
 */
export interface ListedObjects {
  readonly count: number;
  readonly keys: Uint8Array;
  /** Key i is `keys[keyEnds[i - 1] ?? 0 .. keyEnds[i])`. */
  readonly keyEnds: Uint32Array;
  /** Bytes; NaN: the listed size is missing or invalid. */
  readonly sizes: Float64Array;
  /** Milliseconds since the epoch; NaN: the listed date is missing or cannot be parsed. */
  readonly lastModified: Float64Array;
  /** Latin-1, without the quotes; empty: the listed ETag is missing, or cannot be sent back to the store. */
  readonly etags: Uint8Array;
  readonly etagEnds: Uint32Array;
  /** 1: the storage class cannot be read at once (GLACIER, DEEP_ARCHIVE). */
  readonly archived: Uint8Array;
  /** Of a release, whose contents are known by their SHA-256: each `etags` is a marked digest (src/base/content-digest.ts). */
  readonly released?: ReleasedColumns | undefined;
}

/** The columns of a manifest beyond those of a listing; row i belongs to object i. */
export interface ReleasedColumns {
  /** The SHA-256 of each pack, 32 bytes, one behind the other. */
  readonly packs: Uint8Array;
  /** Which of them the content is in. */
  readonly packOf: Uint32Array;
  /** Where in the pack it begins, bytes. */
  readonly offsets: Uint32Array;
  /** 1: the file has the execute bits. */
  readonly executable: Uint8Array;
}
