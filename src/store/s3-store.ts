import { Deadline } from './deadline.ts';
import { createFetchPage } from './fetch-page.ts';
import type { ListedObjects } from './listed-objects.ts';
import { PrefixLister } from './listing.ts';
import { contentLength, readHead } from './object-answer.ts';
import { ObjectReader } from './object-reader.ts';
import type { GetOptions, ObjectBody, ObjectHead, ObjectStore, RequestOptions } from './object-store.ts';
import { RequestLimits } from './request-limits.ts';
import { DEFAULT_DEADLINE_MS, type Pace, SYSTEM_PACE, withRetries } from './retry.ts';
import { SignedHttp, type SignedHttpOptions } from './signed-http.ts';

export interface S3StoreOptions extends SignedHttpOptions {
  /** Requests for content under way; default: the connections of the transport. */
  readonly concurrency?: number;
  readonly pace?: Pace;
}

/**
 * One prefix of one bucket, over S3. The transport is closed with it.
 *
 * CPU of the client for a GET of 4 KiB from another process on loopback, 32 at a time, Node 20 on 2 cores: 1.07 ms
 * through the SDK's client.send, 0.18 ms through get(): 0.06 of them writing to the socket, 0.03 the signature.
 */
export class S3Store implements ObjectStore {
  readonly #http: SignedHttp;
  readonly #limits: RequestLimits;
  readonly #pace: Pace;
  readonly #reader: ObjectReader;
  readonly #lister: PrefixLister;

  constructor(options: S3StoreOptions) {
    const { concurrency, pace = SYSTEM_PACE } = options;
    const http = new SignedHttp(options);
    this.#http = http;
    this.#limits = new RequestLimits(concurrency ?? http.transport.settings.connections);
    this.#pace = pace;
    this.#reader = new ObjectReader(http, pace);
    this.#lister = new PrefixLister({
      fetchPage: createFetchPage({ http, pace }),
      prefix: http.target.prefix,
    });
  }

  async get(key: string, options: GetOptions): Promise<ObjectBody> {
    const deadline = new Deadline(options.signal);
    try {
      const release = await this.#limits.acquire(options.priority ?? 'demand', deadline);
      try {
        return await this.#reader.open(this.#keyOf(key), options, deadline, release);
      } catch (error) {
        release();
        throw error;
      }
    } catch (error) {
      deadline.dispose();
      throw error;
    }
  }

  async head(key: string, options: RequestOptions): Promise<ObjectHead> {
    const { signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
    const request = { operation: 'head', key: this.#keyOf(key) } as const;
    const deadline = new Deadline(signal);
    let release: (() => void) | undefined;
    try {
      release = await this.#limits.acquire(options.priority ?? 'demand', deadline);
      const answer = await withRetries(() => this.#http.send(request, deadline), {
        deadline,
        deadlineMs,
        pace: this.#pace,
      });
      return readHead(answer, contentLength(answer));
    } finally {
      release?.();
      deadline.dispose();
    }
  }

  list(options: { readonly signal: AbortSignal }): Promise<ListedObjects> {
    return this.#lister.list(options);
  }

  /** What is under way fails with `aborted`. */
  close(): Promise<void> {
    return this.#http.transport.close();
  }

  #keyOf(path: string): string {
    return this.#http.target.prefix + path;
  }
}
