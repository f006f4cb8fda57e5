/** How a small object below a release root was found. */
export type ObjectLook =
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly etag: string | undefined }
  /** It still has the ETag that was given. */
  | { readonly kind: 'same' }
  | { readonly kind: 'absent' }
  /** It is longer than was asked for; its body was given up. */
  | { readonly kind: 'too-long' };

/** The store's answer, and its time by the store's clock. */
export interface ReaderAnswer {
  readonly look: ObjectLook;
  /** The answer's Date, in milliseconds since the epoch, whole seconds; undefined: it had none that can be read. */
  readonly date: number | undefined;
}

export interface ReadOptions {
  /** Bytes. */
  readonly most: number;
  /** Without quotes; the object is wanted only if it has another (If-None-Match). */
  readonly unless?: string | undefined;
  readonly signal: AbortSignal;
}

/** Reads the small objects of one release root. Keys are below it, without a slash in front. */
export interface ReleaseReader {
  /** Rejects with StoreError if the store fails: the object may or may not exist. */
  read(key: string, options: ReadOptions): Promise<ReaderAnswer>;
}
