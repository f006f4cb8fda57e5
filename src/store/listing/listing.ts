import { inOrder } from '../../base/in-order.ts';
import type { ListedObjects } from '../../base/listed-objects.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import { StoreError } from '../store-error.ts';
import { cutIntoRanges } from './boundaries.ts';
import { ListingBudget } from './budget.ts';
import { type ExpectedSize, ListingColumns, ONE_PAGE } from './columns.ts';
import { aborted, EndlessListingError, tooManyObjects } from './errors.ts';
import { type ListingRun, PageReader, type PageReaderOptions } from './page-reader.ts';
import { compareKeys, type KeyRange, mayBeAll, readRange, startAfter, WHOLE_RANGE } from './range.ts';
import { type RangePart, refuseRepeats, Seam } from './seam.ts';

export interface PrefixListerOptions extends PageReaderOptions {
  /** Concurrent requests for a long listing; default 8. */
  readonly concurrency?: number;
  /** The maximum number of objects of a listing; default 5,000,000. A larger listing is refused. */
  readonly maxObjects?: number;
  /** Called when this store's listings are slower or less reliable than they could be. */
  readonly log?: (event: ListingNotice, message: string) => void;
}

export interface ListingNotice {
  readonly event:
    | 'listing-unordered'
    | 'listing-in-one-page'
    | 'listing-by-token'
    | 'listing-changed-under-way';
}

export interface Listing extends ListedObjects {
  /** Requests that this listing sent. */
  readonly requests: number;
}

/**
 * How a store must be listed:
 * - `unknown`: no problem was found so far
 * - `one-page`: the store's pages may not join without a gap, but it returns all keys in one page. All keys
 *   are requested in this way
 * - `by-token`: the store's pages may not join, and it does not return all keys in one page. So its
 *   continuation tokens are trusted
 */
type ListingMode = 'unknown' | 'one-page' | 'by-token';

const DEFAULT_CONCURRENCY = 8;
const DEFAULT_MAX_OBJECTS = 5_000_000;

/**
 * A listing of fewer pages is sequential. A parallel listing takes as many requests, but sends them in a
 * burst. With 30 ms to the store (bench/listing.ts), sequential and then parallel: 5,000 objects 283 and 150
 * ms, 10,000 objects 442 and 169 ms, 100,000 objects 3.7 and 0.7 s.
 */
const LEAST_PARALLEL_PAGES = 5;

/**
 * How many ranges are read ahead of the current one, for each concurrent request. Bounds the memory that they
 * take.
 */
const RANGES_AHEAD = 4;

/**
 * The maximum size of a range. A range covered one page of the previous listing, and may have grown since. If
 * a range is larger than this, dagmount stops reading it and lists sequentially. Otherwise such a range, and
 * the ranges that are read ahead, could fill the memory.
 */
const MOST_RANGE_ROWS = 10_000;
const MOST_RANGE_BYTES = 16 * 1024 * 1024;

/**
 * The page size for a store that encodes keys and must list in one page. SeaweedFS accepts up to 65,535 keys
 * and returns some 5,000 a second, so this many arrive within the deadline of a page. S3 returns at most
 * 1,000.
 */
const ONE_PAGE_KEYS = 20_000;
/**
 * The page size for a store that does not encode keys and must list in one page. Such a store is an emulator,
 * which accepts any number and has its keys in memory.
 */
const ONE_PAGE_LITERAL_KEYS = 150_000;
const ONE_PAGE_BYTES = 64 * 1024 * 1024;

/**
 * Lists all objects below a prefix: returns all pages, or rejects.
 *
 * The first listing follows the continuation tokens. A later listing requests all pages in parallel, with
 * StartAfter at the ends of the previous listing's pages, and verifies that the results are one listing in
 * byte order without a gap. If they are not, it starts over sequentially. Not every store lists as S3 does:
 *
 * - fauxqs 1.9 sorts by locale, but continues after the last key in order of code units, so it silently omits
 *   keys between two pages. It can be recognized because it does not echo EncodingType.
 * - SeaweedFS 4.48 lists a folder `a` before its neighbours `a-b` and `a.py`. Its tokens keep to this order.
 *
 * So a store that lists out of order, or does not encode keys, is first asked for all keys in one page.
 *
 * Pages are read at different times. In parallel and in sequential listings, a concurrent change may show in
 * one page and not in another. So the caller lists twice before it trusts a change.
 */
export class PrefixLister {
  readonly #reader: PageReader;
  readonly #prefix: string;
  readonly #concurrency: number;
  readonly #maxObjects: number;
  readonly #log: (event: ListingNotice, message: string) => void;
  #ranges: readonly KeyRange[] = [WHOLE_RANGE];
  #manner: ListingMode = 'unknown';
  #inOrder = true;
  #encodes = true;
  #onePageFailures = 0;
  #pageRows = ONE_PAGE.rows;
  #expected: ExpectedSize = ONE_PAGE;

  constructor(options: PrefixListerOptions) {
    this.#reader = new PageReader(options);
    this.#prefix = options.prefix;
    this.#concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
    this.#maxObjects = options.maxObjects ?? DEFAULT_MAX_OBJECTS;
    this.#log = options.log ?? (() => undefined);
  }

  /**
   * Returns the complete listing.
   *
   * @throws {StoreError} the error of fetchPage; `corrupt` if the answers contradict themselves or each
   *   other; `bad-request` if there are too many objects; `aborted`, with the signal's reason as its cause,
   *   if the signal aborts.
   */
  async list(options: { readonly signal: AbortSignal }): Promise<Listing> {
    const run: ListingRun = { signal: options.signal, requests: 0, budget: this.#newBudget() };
    const columns = await this.#listColumns(run);
    const objects = columns.finish();
    this.#expected = {
      rows: objects.count + ONE_PAGE.rows,
      keyBytes: objects.keys.length + ONE_PAGE.keyBytes,
      etagBytes: objects.etags.length + ONE_PAGE.etagBytes,
    };
    this.#ranges =
      this.#inOrder && this.#manner !== 'one-page'
        ? cutIntoRanges(objects, this.#pageRows, this.#prefix, LEAST_PARALLEL_PAGES)
        : [WHOLE_RANGE];
    return { ...objects, requests: run.requests };
  }

  async #listColumns(run: ListingRun): Promise<ListingColumns> {
    try {
      return (await this.#tryInParallel(run)) ?? (await this.#listInSequence(run));
    } catch (error) {
      throw run.signal.aborted && !(error instanceof StoreError) ? aborted(run.signal) : error;
    }
  }

  async #listInSequence(run: ListingRun): Promise<ListingColumns> {
    if (this.#manner === 'one-page') {
      const columns = await this.#listInOnePage(run);
      if (columns !== undefined) return columns;
    }
    run.budget = this.#newBudget();
    const columns = new ListingColumns(this.#expected);
    const range = await readRange(this.#reader, columns, WHOLE_RANGE, run, {
      maxObjects: this.#maxObjects,
      goOn: (page, ordered) => {
        this.#encodes = page.encoded;
        return this.#manner !== 'unknown' || (ordered && this.#inOrder && page.encoded);
      },
    });
    if (!range.ordered) this.#noteDisorder();
    const doubtful = this.#manner === 'unknown' && range.pageRows > 0 && !range.ordered;
    if (doubtful || !range.ended) {
      // The keys read so far are discarded, because results of two modes are never mixed.
      return (await this.#listInOnePage(run)) ?? (await this.#listInSequence(run));
    }
    this.#pageRows = range.pageRows || this.#pageRows;
    if (!range.ordered) refuseRepeats(columns, this.#prefix);
    return columns;
  }

  /**
   * Requests all keys in one page. Returns undefined if the store does not return them so; it is then never
   * asked for one page again.
   */
  async #listInOnePage(run: ListingRun): Promise<ListingColumns | undefined> {
    run.budget = this.#newBudget();
    const columns = new ListingColumns(this.#expected);
    const maxKeys = this.#encodes ? ONE_PAGE_KEYS : ONE_PAGE_LITERAL_KEYS;
    const bounds = { maxPageBytes: ONE_PAGE_BYTES, maxPageRows: maxKeys };
    const complete = await this.#reader.read({ maxKeys }, columns, run, bounds).then(
      (page) =>
        page.truncated === undefined ? this.#isAll(page.rows, columns, run) : page.truncated === false,
      (error) => {
        if (!(error instanceof StoreError) || !this.#mayBeTooMuch(error)) throw error;
        return false;
      },
    );
    if (complete) this.#onePageFailures = 0;
    if (!complete) {
      this.#manner = 'by-token';
      this.#log(
        { event: 'listing-by-token' },
        "the store does not return all keys in one page; dagmount trusts the store's continuation tokens",
      );
      return undefined;
    }
    if (this.#manner !== 'one-page') {
      this.#manner = 'one-page';
      this.#log(
        { event: 'listing-in-one-page' },
        'dagmount requests the whole listing from the store in one page',
      );
    }
    if (columns.count > this.#maxObjects) throw tooManyObjects(this.#maxObjects);
    if (!columns.isOrderedFrom(0)) refuseRepeats(columns, this.#prefix);
    return columns;
  }

  /** Whether a page without IsTruncated is complete, which means that no key follows its last one. */
  async #isAll(rows: number, columns: ListingColumns, run: ListingRun): Promise<boolean> {
    if (!mayBeAll(rows)) return false;
    if (!columns.isOrderedFrom(0)) return true;
    const behind = new ListingColumns();
    const last = columns.key(columns.count - 1);
    await this.#reader.read({ startAfter: startAfter(last, true, this.#prefix) }, behind, run);
    return behind.count === 0 || compareKeys(behind.key(0), last) <= 0;
  }

  /**
   * Whether the error may mean that so many keys are too much for one page. For a store that does not encode
   * keys (an emulator), an outage does not count, because its tokens may be wrong and must not become
   * trusted.
   */
  #mayBeTooMuch(error: StoreError): boolean {
    if (error.code === 'bad-request') return true;
    if (!error.retryable || !this.#encodes) return false;
    this.#onePageFailures++;
    return this.#onePageFailures >= RETRIES.listingInOnePage.tries;
  }

  /**
   * Lists in parallel. Returns undefined if the caller must list sequentially. A listing that seems endless
   * is one of these cases, because ranges whose pages have grown return most keys twice.
   */
  async #tryInParallel(run: ListingRun): Promise<ListingColumns | undefined> {
    try {
      return await this.#listInParallel(run);
    } catch (error) {
      if (!(error instanceof EndlessListingError)) throw error;
      this.#noteChange();
      return undefined;
    }
  }

  /**
   * Reads the ranges in parallel. Returns undefined if there is only one range, or if the results do not
   * join.
   */
  async #listInParallel(run: ListingRun): Promise<ListingColumns | undefined> {
    if (this.#ranges.length < 2) return undefined;
    const concurrency = this.#concurrency;
    const columns = new ListingColumns(this.#expected);
    const seam = new Seam();
    let pageRows = 0;
    const parts = inOrder(this.#ranges, (range, signal) => this.#readPart(range, run, signal), {
      concurrency,
      ahead: concurrency * RANGES_AHEAD,
      signal: run.signal,
    });
    for await (const part of parts) {
      const fit = part.isCut ? 'changed' : seam.join(part);
      if (fit === 'disorder') this.#noteDisorder();
      if (fit === 'changed') this.#noteChange();
      if (fit !== 'fits') return undefined;
      if (columns.count + part.columns.count > this.#maxObjects) throw tooManyObjects(this.#maxObjects);
      columns.append(part.columns);
      pageRows = Math.max(pageRows, part.pageRows);
    }
    this.#pageRows = pageRows || this.#pageRows;
    return columns;
  }

  async #readPart(range: KeyRange, run: ListingRun, signal: AbortSignal): Promise<RangePart> {
    const columns = new ListingColumns();
    let isCut = false;
    const part: ListingRun = { signal, requests: 0, budget: run.budget };
    try {
      const listing = await readRange(this.#reader, columns, range, part, {
        maxObjects: this.#maxObjects,
        goOn: (_page, ordered) => {
          isCut = columns.count > MOST_RANGE_ROWS || columns.keyBytes > MOST_RANGE_BYTES;
          return ordered && !isCut;
        },
      });
      return { ...listing, columns, isCut };
    } finally {
      run.requests += part.requests;
    }
  }

  #noteChange(): void {
    this.#log(
      { event: 'listing-changed-under-way' },
      'the listing changed during parallel requests; dagmount lists again sequentially',
    );
  }

  #newBudget(): ListingBudget {
    return new ListingBudget(this.#maxObjects);
  }

  #noteDisorder(): void {
    if (this.#inOrder) {
      this.#log(
        { event: 'listing-unordered' },
        'the store does not list keys in byte order; dagmount lists it without parallel requests',
      );
    }
    this.#inOrder = false;
  }
}
