/** One content version of one path, as src/tree names it. */
export interface ContentVersion {
  /** 32 hex digits over path, etag and size: equal names are equal versions. */
  readonly name: string;
  /** The key below the prefix. */
  readonly path: string;
  /** Without the quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** The part of ObjectStore (src/store) that the cache reads from. */
export interface ContentSource {
  get(
    key: string,
    options: {
      readonly ifMatch?: string;
      /** `end` is exclusive. */
      readonly range?: { readonly start: number; readonly end: number };
      readonly signal: AbortSignal;
    },
  ): Promise<ContentBody>;
}

export interface ContentBody {
  /** Without the quotes. */
  readonly etag: string;
  /** Rejects at its end where the store's own checksum or length does not match. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The store answered with other content than the version asked for. Has the shape of src/store's StoreError, so
 * that whoever maps one maps the other.
 */
export class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly code: 'corrupt' | 'changed';
  readonly detail: string;
  readonly mend: string;
  readonly retryable: boolean;

  constructor(code: 'corrupt' | 'changed', path: string, detail: string) {
    super(
      code === 'changed'
        ? `The object ${path} is not the one that was listed.`
        : `The content of ${path} arrived damaged.`,
    );
    this.code = code;
    this.detail = detail;
    this.mend =
      code === 'changed'
        ? 'The next listing shows what the store has now.'
        : 'It is fetched again; if this goes on, look for a proxy that alters responses.';
    this.retryable = code === 'corrupt';
  }
}
