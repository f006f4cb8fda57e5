import { setTimeout as delay } from 'node:timers/promises';
import { retry } from '../../base/retry/retry.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import { StoreError } from '../store-error.ts';
import type { ListingBudget } from './budget.ts';
import { ListingColumns } from './columns.ts';
import { corrupt, UnknownEncodingError } from './errors.ts';
import { type ListingPage, scanListingPage } from './scanner.ts';

/** One ListObjectsV2 request. Each request also has `encoding-type=url`. */
export interface PageQuery {
  readonly prefix: string;
  readonly continuationToken?: string;
  /** A whole key, prefix included: the page starts after it. */
  readonly startAfter?: string;
  readonly maxKeys?: number;
}

/**
 * Sends one request and returns the body of a 200 answer. Handles timeouts, and retries what the HTTP status
 * allows, within `withinMs`, the time left for the page. If it rejects, the listing ends with that error.
 */
export type FetchPage = (query: PageQuery, signal: AbortSignal, withinMs?: number) => Promise<Uint8Array>;

export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** One listing in progress. */
export interface ListingRun {
  readonly signal: AbortSignal;
  /** Bounds all parts of one listing together. It is replaced when the listing starts over. */
  budget: ListingBudget;
  /** Requests sent so far. */
  requests: number;
}

export interface PageReaderOptions {
  readonly fetchPage: FetchPage;
  readonly prefix: string;
  readonly sleep?: Sleep;
  /** A number from 0 to 1, for the jitter of a backoff. */
  readonly random?: () => number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

export interface PageBounds {
  readonly maxPageBytes?: number;
  readonly maxPageRows?: number;
}

const REPLACEMENT_CHARACTER = '\ufffd';

/** Fetches and scans pages, and retries a page that is garbled. */
export class PageReader {
  readonly #fetchPage: FetchPage;
  readonly #prefix: string;
  readonly #prefixBytes: Uint8Array;
  readonly #sleep: Sleep;
  readonly #random: () => number;
  readonly #now: () => number;
  /** Whether the store was found to leave keys unencoded without saying so. */
  #literal = false;

  constructor(options: PageReaderOptions) {
    this.#fetchPage = options.fetchPage;
    this.#prefix = options.prefix;
    this.#prefixBytes = Buffer.from(options.prefix);
    this.#sleep = options.sleep ?? ((milliseconds, signal) => delay(milliseconds, undefined, { signal }));
    this.#random = options.random ?? Math.random;
    this.#now = options.now ?? (() => performance.now());
  }

  get prefix(): string {
    return this.#prefix;
  }

  /**
   * Adds the objects of one page to `columns`. Adds none if it rejects.
   *
   * @throws {StoreError} the error of {@link scanListingPage}, after all tries of the policy if a retry may
   *   help; or the error of {@link ListingBudget}.
   */
  async read(
    query: Omit<PageQuery, 'prefix'>,
    columns: ListingColumns,
    run: ListingRun,
    bounds: PageBounds = {},
  ): Promise<ListingPage> {
    const endsAt = this.#now() + RETRIES.garbledPage.deadlineMs;
    let last: unknown;
    const attempt = async (): Promise<ListingPage> => {
      // The pause used up the time, so this reports the page's own error and not the timeout.
      if (last !== undefined && this.#now() >= endsAt) throw last;
      return await this.#readOnce(query, columns, run, bounds, endsAt);
    };
    return await retry(attempt, {
      policy: RETRIES.garbledPage,
      mayRepair: (error) => {
        last = error;
        return error instanceof StoreError && error.retryable && this.#now() < endsAt;
      },
      sleep: (ms) => this.#sleep(ms, run.signal),
      random: this.#random,
    });
  }

  async #readOnce(
    query: Omit<PageQuery, 'prefix'>,
    columns: ListingColumns,
    run: ListingRun,
    bounds: PageBounds,
    endsAt: number,
  ): Promise<ListingPage> {
    const prefix = this.#prefixBytes;
    const before = columns.count;
    const bytes = await this.#fetch({ ...query, prefix: this.#prefix }, run, endsAt);
    try {
      const page = scanListingPage(bytes, { prefix, columns, literal: this.#literal, ...bounds });
      checkToken(page);
      run.budget.takePage(page.rows);
      return page;
    } catch (error) {
      // Discard the rows that this attempt added before it failed.
      columns.truncate(before);
      if (!(error instanceof UnknownEncodingError)) throw error;
      await this.#askForEncoding(error, run, endsAt);
    }
    // The encoding is known now, so the store is not asked for it again.
    return await this.#readOnce(query, columns, run, bounds, endsAt);
  }

  async #fetch(query: PageQuery, run: ListingRun, endsAt: number): Promise<Uint8Array> {
    run.signal.throwIfAborted();
    run.requests++;
    const bytes = await this.#fetchPage(query, run.signal, Math.max(0, endsAt - this.#now()));
    run.budget.takeAnswer(bytes.length);
    return bytes;
  }

  /**
   * Asks the store for the encoding, by requesting the key's text as a prefix. A store that does not encode
   * keys returns that very text. A store that encodes them has no such key, or returns the text encoded once
   * more; then this rejects with `error`.
   */
  async #askForEncoding(error: UnknownEncodingError, run: ListingRun, endsAt: number): Promise<void> {
    const bytes = await this.#fetch({ prefix: error.key, maxKeys: 1 }, run, endsAt);
    const columns = new ListingColumns({ rows: 1, keyBytes: 64, etagBytes: 64 });
    const page = scanListingPage(bytes, { prefix: Buffer.from(error.key), columns, literal: true });
    if (page.rows === 0 || page.encoded) throw error;
    this.#literal = true;
  }
}

/**
 * Refuses a damaged token. SeaweedFS 4.48 sends the last key as the token, unencoded, with U+FFFD for
 * characters that XML cannot hold. Continuing from such a token would silently omit keys.
 */
function checkToken(page: ListingPage): void {
  if (page.token?.includes(REPLACEMENT_CHARACTER)) {
    throw corrupt('the continuation token is damaged: it contains a replaced control character');
  }
}
