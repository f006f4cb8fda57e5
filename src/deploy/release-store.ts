/** The bytes of an object, and the ETag that a writer needs to replace the object. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export interface ListedObject {
  readonly key: string;
  /** Milliseconds since the epoch, by the store's clock; undefined if the store did not say. */
  readonly lastModified: number | undefined;
}

/** The result of a conditional write. `refused`: the key has another object than the writer expected. */
export type WriteEnd = { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'refused' };

/**
 * The objects below one release root, for writers. Keys have no leading slash. Every method rejects with
 * StoreError if the store fails. A write that rejects may or may not have happened.
 */
export interface ReleaseStore {
  /**
   * Reads an object; undefined if there is none. Rejects with ReleaseError `malformed` if the object is
   * longer than `most` bytes.
   */
  read(key: string, most: number, signal: AbortSignal): Promise<StoredObject | undefined>;
  /**
   * Reads `length` bytes from `offset` on, fewer if the object ends before; undefined if there is no object.
   */
  readRange(
    key: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /** Creates an object, unless the key has one (If-None-Match: *). */
  create(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<WriteEnd>;
  /** Replaces the object at the key, if it has this ETag (If-Match). */
  replace(key: string, bytes: Uint8Array, etag: string, signal: AbortSignal): Promise<WriteEnd>;
  /** Returns the keys with this prefix in byte order; with `after`, only the keys after that one. */
  list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly string[]>;
  /** Returns the objects with this prefix, in the byte order of their keys. */
  listObjects(prefix: string, signal: AbortSignal): Promise<readonly ListedObject[]>;
  remove(keys: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Replaces the object at the key if it has this ETag; without an ETag, creates the object. */
export function writeOver(
  store: ReleaseStore,
  key: string,
  bytes: Uint8Array,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<WriteEnd> {
  return etag === undefined ? store.create(key, bytes, signal) : store.replace(key, bytes, etag, signal);
}
