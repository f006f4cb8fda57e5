/** One complete listing of a prefix, in columns: row i is the i-th object in the order of the listing. */
export interface ListedObjects {
  readonly count: number;
  /**
   * Raw key bytes below the prefix, concatenated. A key over 4,096 bytes is cut to its first 4,097 to 4,100
   * bytes, at a character boundary.
   */
  readonly keys: Uint8Array;
  /** Key i is `keys[keyEnds[i - 1] ?? 0 .. keyEnds[i])`. */
  readonly keyEnds: Uint32Array;
  /** Bytes; NaN if the listed size is missing or invalid. */
  readonly sizes: Float64Array;
  /** Milliseconds since the epoch; NaN if the listed date is missing or cannot be parsed. */
  readonly lastModified: Float64Array;
  /**
   * Latin-1 bytes without the quotes, concatenated; empty for an object whose listed ETag is missing or invalid.
   */
  readonly etags: Uint8Array;
  readonly etagEnds: Uint32Array;
  /** 1: the object must be restored before it can be read (GLACIER, DEEP_ARCHIVE; not GLACIER_IR). */
  readonly archived: Uint8Array;
}
