/** The bytes of an object, and the ETag with which it can be replaced. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** The result of a conditional write. `refused`: the store has another object there than the writer expected. */
export type WriteEnd = { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'refused' };

/**
 * The objects below one release root, for writers. Keys have no leading slash. Every method rejects with StoreError if
 * the store fails; then a write may or may not have happened.
 */
export interface ReleaseStore {
  /** Undefined if there is no such object. Rejects with ReleaseError `malformed` if it is longer than `most` bytes. */
  read(key: string, most: number, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** `length` bytes from `offset` on, fewer if the object ends before; undefined if there is no such object. */
  readRange(
    key: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /** Creates an object (If-None-Match: *). */
  create(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<WriteEnd>;
  /** Replaces the object with this ETag (If-Match). */
  replace(key: string, bytes: Uint8Array, etag: string, signal: AbortSignal): Promise<WriteEnd>;
  /** Keys with this prefix in byte order, only those after `after` if that is given. */
  list(prefix: string, signal: AbortSignal, after?: string): Promise<readonly string[]>;
  remove(keys: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Replaces the object with this ETag, or creates it if there is no ETag. */
export function writeOver(
  store: ReleaseStore,
  key: string,
  bytes: Uint8Array,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<WriteEnd> {
  return etag === undefined ? store.create(key, bytes, signal) : store.replace(key, bytes, etag, signal);
}
