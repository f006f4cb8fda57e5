/** How a small object below a release root was found. */
export type ObjectLook =
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly etag: string | undefined }
  /** The object still has the ETag that was given. */
  | { readonly kind: 'same' }
  | { readonly kind: 'absent' }
  /** The object is longer than `most`; its body was not read to the end. */
  | { readonly kind: 'too-long' };

/** The store's answer, and its time by the store's clock. */
export interface ReaderAnswer {
  readonly look: ObjectLook;
  /** The answer's Date, in milliseconds since the epoch, whole seconds; undefined: it had none that can be read. */
  readonly date: number | undefined;
}

export interface ReadOptions {
  /** The most bytes to read. */
  readonly most: number;
  /** An ETag without quotes: the object is read only if it has another one (If-None-Match). */
  readonly unless?: string | undefined;
  readonly signal: AbortSignal;
}

/** Reads the small objects of one release root. Keys are relative to it, without a leading slash. */
export interface ReleaseReader {
  /** Rejects with StoreError if the store fails: the object may or may not exist. */
  read(key: string, options: ReadOptions): Promise<ReaderAnswer>;
}
