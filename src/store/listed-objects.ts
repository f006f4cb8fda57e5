/** One complete listing of a prefix, in columns: row i is the i-th object in the order of the listing. */
export interface ListedObjects {
  readonly count: number;
  /** Raw key bytes below the prefix, concatenated. Of a key over 4,096 bytes the first 4,097 to 4,100, whole characters. */
  readonly keys: Uint8Array;
  /** Key i is `keys[keyEnds[i - 1] ?? 0 .. keyEnds[i])`. */
  readonly keyEnds: Uint32Array;
  /** Bytes; NaN where the store lists none that can be. */
  readonly sizes: Float64Array;
  /** Milliseconds since the epoch; NaN where the store lists no date, or none that can be understood. */
  readonly lastModified: Float64Array;
  /** Latin-1 bytes without the quotes, concatenated; no byte of an object whose listed ETag is missing, or is none. */
  readonly etags: Uint8Array;
  readonly etagEnds: Uint32Array;
  /** 1: the storage class cannot be read at once (GLACIER, DEEP_ARCHIVE; GLACIER_IR can). */
  readonly archived: Uint8Array;
}
