/** The result of reading a small object below a release root. */
export type ObjectLook =
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly etag: string | undefined }
  /** The object still has the ETag that was given. */
  | { readonly kind: 'same' }
  | { readonly kind: 'absent' }
  /** The object is longer than `most`; its body was not read to the end. */
  | { readonly kind: 'too-long' };

/** The store's answer, and when the store sent it, by the store's clock. */
export interface ReaderAnswer {
  readonly look: ObjectLook;
  /**
   * The answer's Date header, in milliseconds since the epoch (whole seconds). Undefined if the answer had
   * none that can be read, or said that the object is absent.
   */
  readonly date: number | undefined;
}

export interface ReadOptions {
  /** The maximum number of bytes to read. */
  readonly most: number;
  /** An ETag without quotes. The object is read only if its ETag is another one (If-None-Match). */
  readonly unless?: string | undefined;
  readonly signal: AbortSignal;
}

/** Reads the small objects of one release root. Keys are relative to that root, without a leading slash. */
export interface ReleaseReader {
  /** Reads one object. Rejects with StoreError if the store fails: the object may or may not exist. */
  read(key: string, options: ReadOptions): Promise<ReaderAnswer>;
}
