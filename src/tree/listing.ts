/**
 * One complete listing, as columns: what src/store hands over. `keys` holds the raw bytes below the prefix,
 * one key after the other in the order they were listed; of a key over 4,096 bytes the first 4,097 to 4,100.
 */
export interface ListedObjects {
  readonly count: number;
  readonly keys: Uint8Array;
  /** Key i is `keys[keyEnds[i - 1] ?? 0 .. keyEnds[i])`. */
  readonly keyEnds: Uint32Array;
  /** Bytes; NaN: the store lists none that can be. */
  readonly sizes: Float64Array;
  /** Milliseconds since the epoch; NaN: the store lists none that can be understood. */
  readonly lastModified: Float64Array;
  /** Latin-1, without the quotes; empty: the store lists none that can be sent back to it. */
  readonly etags: Uint8Array;
  readonly etagEnds: Uint32Array;
  /** 1: the storage class cannot be read at once (GLACIER, DEEP_ARCHIVE). */
  readonly archived: Uint8Array;
  /** Of a release, whose contents are known by their SHA-256: each `etags` is a marked digest (src/base/content-digest.ts). */
  readonly released?: ReleasedColumns | undefined;
}

/** What a manifest says beyond a listing; row i is that of object i. */
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
