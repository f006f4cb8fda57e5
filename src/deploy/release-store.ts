/** An object as it was read: its bytes, and the ETag by which it is replaced. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** How a conditional write ended; `refused`: the store holds another object there than the writer took for granted. */
export type WriteEnd = { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'refused' };

/**
 * The objects below one release root, as writers need them. Keys are without a slash in front. Everything rejects with
 * StoreError where the store is in trouble; a write may then have happened or not.
 */
export interface ReleaseStore {
  /** Undefined: there is no such object. Rejects where it is longer than `most` bytes. */
  read(key: string, most: number, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** `length` bytes from `offset` on; undefined: there is no such object. */
  readRange(
    key: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /** Writes an object that is not there yet (If-None-Match: *). */
  create(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<WriteEnd>;
  /** Writes in the place of the object with this ETag (If-Match). */
  replace(key: string, bytes: Uint8Array, etag: string, signal: AbortSignal): Promise<WriteEnd>;
  /** Keys that begin so, in the order of their bytes; those behind `after` where that is given. */
  list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly string[]>;
  remove(keys: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Writes in the place of the object with this ETag, or where there is none, a new one. */
export function writeOver(
  store: ReleaseStore,
  key: string,
  bytes: Uint8Array,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<WriteEnd> {
  return etag === undefined ? store.create(key, bytes, signal) : store.replace(key, bytes, etag, signal);
}
