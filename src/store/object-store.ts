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
  /** The ETag, without its quotes, that the object must have; another is `changed`. */
  readonly ifMatch?: string;
  /** Bytes; `end` is exclusive. */
  readonly range?: { readonly start: number; readonly end: number };
}

export interface ObjectHead {
  /** Without its quotes. */
  readonly etag: string;
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
