import type { ListedObjects } from '../base/listed-objects.ts';
import type { Stop } from './stop.ts';

/** `demand`: a reader waits for the answer; `background`: no reader does. */
export type RequestPriority = 'demand' | 'background';

export interface RequestOptions {
  readonly signal: Stop;
  /** Default `demand`. */
  readonly priority?: RequestPriority | undefined;
  /**
   * Milliseconds for the whole request, including retries and waits; default 30,000. A body that is arriving
   * may take longer, as long as it does not stall.
   */
  readonly deadlineMs?: number | undefined;
}

export interface GetOptions extends RequestOptions {
  /**
   * The S3 version id of the content to read, for an object that may have been replaced or deleted. Without
   * s3:GetObjectVersion the request is `denied`.
   */
  readonly versionId?: string | undefined;
  /**
   * The ETag, without its quotes, that the object must have; an object with another ETag is `changed`. With
   * `withoutEtag`, an answer without an ETag is accepted, because the store may have evaluated If-Match.
   */
  readonly ifMatch?: string | undefined;
  /** Bytes of the whole object, as listed. The size in the answer is compared with it. */
  readonly size?: number | undefined;
  /** The object's date in the listing; only ListedContent uses it. */
  readonly lastModified?: number | undefined;
  /**
   * Accept an answer without a usable ETag. By default, such an answer counts as one of a server other than
   * S3.
   */
  readonly withoutEtag?: boolean | undefined;
  /** Bytes; `end` is exclusive. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
}

export interface ObjectHead {
  /** The ETag without its quotes; empty if the store sent no usable ETag (see `withoutEtag`). */
  readonly etag: string;
  /** Whether the ETag was marked as weak: If-Match never holds for it. */
  readonly isWeak?: boolean;
  /** Bytes of the whole object, also if a range was requested. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly versionId: string | undefined;
}

export interface ObjectBody extends ObjectHead {
  /**
   * The content, readable once, to its end. Leaving it early (`return`, or the signal) closes its connection.
   * Rejects with a StoreError: `corrupt` if length or checksum do not match, before the last chunk is
   * delivered.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A request for a small object whose listed ETag may be the MD5 of its content. */
export interface SmallObjectRequest {
  readonly signal: Stop;
  /** 32 hex digits. */
  readonly etag: string;
  /** Bytes, as listed. */
  readonly size: number;
  /** Milliseconds for the request, once it has a place; default 10,000. */
  readonly deadlineMs?: number | undefined;
}

export interface SmallObject {
  /** The content, which has the size and the MD5 that were listed. */
  readonly bytes: Uint8Array;
  readonly versionId: string | undefined;
}

/** The reading side of a store, below one prefix. Keys are paths below the prefix. */
export interface ObjectStore {
  /** @throws {StoreError} */
  get(key: string, options: GetOptions): Promise<ObjectBody>;
  /**
   * Requests a small object once, in the background. Returns, or resolves to, undefined if the answer is not
   * the ordinary one, or if such requests are not worth trying at the moment: then only get() tells why.
   * Rejects with the reason of an aborted signal.
   */
  getSmall(key: string, request: SmallObjectRequest): Promise<SmallObject | undefined> | undefined;
  /** @throws {StoreError} */
  head(key: string, options: RequestOptions): Promise<ObjectHead>;
  /**
   * Returns what `head` returns; undefined if the object still has this ETag. Sends a conditional GET, which
   * S3 bills like HEAD and whose errors include a reason. Without an ETag, the request is unconditional.
   *
   * @throws {StoreError}
   */
  headUnless(etag: string | undefined, key: string, options: RequestOptions): Promise<ObjectHead | undefined>;
  /** Returns all pages of the listing, or rejects with a StoreError. */
  list(options: { readonly signal: AbortSignal }): Promise<ListedObjects>;
  close(): Promise<void>;
}
