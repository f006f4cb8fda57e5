import type { ListedObjects } from './listed-objects.ts';
import type { Stop } from './stop.ts';

/** Who waits for the answer: `demand` a reader, `background` nobody in particular. */
export type RequestPriority = 'demand' | 'background';

export interface RequestOptions {
  readonly signal: Stop;
  /** Default `demand`. */
  readonly priority?: RequestPriority;
  /**
   * Milliseconds for the whole request, its retries and its waits included; default 30,000. Once the body flows
   * it may take longer, as long as it does not stall.
   */
  readonly deadlineMs?: number;
}

export interface GetOptions extends RequestOptions {
  /** Of an object that may have been replaced or deleted since; needs s3:GetObjectVersion, where it is `denied`. */
  readonly versionId?: string | undefined;
  /**
   * The ETag, without its quotes, that the object must have; another is `changed`. An answer without an ETag is not, where
   * `withoutEtag` takes it: the store may have heeded If-Match.
   */
  readonly ifMatch?: string | undefined;
  /** Bytes of the whole object by the listing: what comes is held against it. */
  readonly size?: number;
  /** Its date by the listing: see ListedContent, which alone heeds it. */
  readonly lastModified?: number | undefined;
  /** An answer without a usable ETag is taken, too. Otherwise it is not one of S3's. */
  readonly withoutEtag?: boolean;
  /** Bytes; `end` is exclusive. */
  readonly range?: { readonly start: number; readonly end: number };
}

export interface ObjectHead {
  /** Without its quotes; empty: the store gave none that can be used (see `withoutEtag`). */
  readonly etag: string;
  /** It came marked as weak: no If-Match ever holds for it. */
  readonly isWeak?: boolean;
  /** Bytes of the whole object, also where a range of it was asked for. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly versionId: string | undefined;
}

export interface ObjectBody extends ObjectHead {
  /**
   * To be read once, to its end; leaving it early (`return`, or the signal) gives its connection up. Rejects with
   * a StoreError: `corrupt` where length or checksum do not match, before the last chunk is delivered.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What is read of a store, below one prefix. A key is given as its path below the prefix. */
export interface ObjectStore {
  /** @throws {StoreError} */
  get(key: string, options: GetOptions): Promise<ObjectBody>;
  /** @throws {StoreError} */
  head(key: string, options: RequestOptions): Promise<ObjectHead>;
  /**
   * What `head` gives, by a conditional GET, which S3 bills alike and whose refusals carry their reason; undefined
   * where the object still has this ETag. Without an ETag it is asked for in any case.
   *
   * @throws {StoreError}
   */
  headUnless(etag: string | undefined, key: string, options: RequestOptions): Promise<ObjectHead | undefined>;
  /** All pages, or it rejects with a StoreError. */
  list(options: { readonly signal: AbortSignal }): Promise<ListedObjects>;
  close(): Promise<void>;
}
