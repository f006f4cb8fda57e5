import type { ListedObjects } from '../base/listed-objects.ts';
import type { Stop } from './stop.ts';

/** `demand`: a reader waits for the answer; `background`: no reader does. */
export type RequestPriority = 'demand' | 'background';

export interface RequestOptions {
  readonly signal: Stop;
  /** Default `demand`. */
  readonly priority?: RequestPriority | undefined;
  /**
   * Milliseconds for the whole request, including retries and waits; default 30,000. A body that is arriving may
   * take longer, as long as it does not stall.
   */
  readonly deadlineMs?: number | undefined;
}

export interface GetOptions extends RequestOptions {
  /**
   * The version of an object that may have been replaced or deleted since; without s3:GetObjectVersion it is
   * `denied`.
   */
  readonly versionId?: string | undefined;
  /**
   * The ETag, without its quotes, that the object must have; another is `changed`. With `withoutEtag`, an answer
   * without an ETag is accepted: the store may have evaluated If-Match.
   */
  readonly ifMatch?: string | undefined;
  /** Bytes of the whole object in the listing: the answer is compared with it. */
  readonly size?: number | undefined;
  /** The object's date in the listing; only ListedContent uses it. */
  readonly lastModified?: number | undefined;
  /** Accept an answer without a usable ETag. Otherwise it counts as not S3's. */
  readonly withoutEtag?: boolean | undefined;
  /** Bytes; `end` is exclusive. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
}

export interface ObjectHead {
  /** Without its quotes; empty: the store sent no usable ETag (see `withoutEtag`). */
  readonly etag: string;
  /** It was marked as weak: If-Match never holds for it. */
  readonly isWeak?: boolean;
  /** Bytes of the whole object, also if a range was requested. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly versionId: string | undefined;
}

export interface ObjectBody extends ObjectHead {
  /**
   * Readable once, to its end; leaving it early (`return`, or the signal) closes its connection. Rejects with a
   * StoreError: `corrupt` if length or checksum do not match, before the last chunk is delivered.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The reading side of a store, below one prefix. Keys are paths below the prefix. */
export interface ObjectStore {
  /** @throws {StoreError} */
  get(key: string, options: GetOptions): Promise<ObjectBody>;
  /** @throws {StoreError} */
  head(key: string, options: RequestOptions): Promise<ObjectHead>;
  /**
   * What `head` returns, by a conditional GET, which S3 bills alike and whose errors include a reason; undefined
   * if the object still has this ETag. Without an ETag the request is unconditional.
   *
   * @throws {StoreError}
   */
  headUnless(etag: string | undefined, key: string, options: RequestOptions): Promise<ObjectHead | undefined>;
  /** All pages, or it rejects with a StoreError. */
  list(options: { readonly signal: AbortSignal }): Promise<ListedObjects>;
  close(): Promise<void>;
}
