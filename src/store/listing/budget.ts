import { EndlessListingError } from './errors.ts';

/**
 * A listing may have FREE_PAGES pages, and one more for each LEAST_ROWS_A_PAGE objects. S3 may send pages
 * with no or few objects (behind many delete markers), but not endlessly.
 */
const FREE_PAGES = 1_000;
const LEAST_ROWS_A_PAGE = 10;

/**
 * Bytes that all answers to a listing may have: FREE_BYTES, and BYTES_A_ROW more for each object. An S3 key
 * has up to 3 KiB when encoded.
 */
const FREE_BYTES = 256 * 1024 * 1024;
const BYTES_A_ROW = 4 * 1024;
/** The maximum number of bytes of all answers. Five million objects with keys of 200 bytes take 3 GiB. */
const MAX_BYTES = 8 * 1024 ** 3;

/**
 * How often an object may arrive. Parallel ranges may overlap, so that objects after the end of a range
 * arrive twice.
 */
const OVERLAP = 2;

/**
 * Bounds the answers to one listing, however its pages are read, because an endless listing must not occupy
 * the process or fill the memory.
 */
export class ListingBudget {
  readonly #maxObjects: number;
  #pages = 0;
  #rows = 0;
  #bytes = 0;

  constructor(maxObjects: number) {
    this.#maxObjects = maxObjects;
  }

  /** Counts an answer, whether or not it is a page. */
  takeAnswer(bytes: number): void {
    this.#bytes += bytes;
    this.#check();
  }

  /** Counts a page. */
  takePage(rows: number): void {
    this.#pages++;
    this.#rows += rows;
    this.#check();
  }

  #check(): void {
    const pages = this.#pages;
    const rows = this.#rows;
    if (rows > OVERLAP * this.#maxObjects)
      throw new EndlessListingError(`the listing has not ended after ${rows} objects`);
    if (pages > FREE_PAGES + rows / LEAST_ROWS_A_PAGE)
      throw new EndlessListingError(`the listing has not ended after ${pages} pages with ${rows} objects`);
    if (this.#bytes > Math.min(MAX_BYTES, FREE_BYTES + rows * BYTES_A_ROW))
      throw new EndlessListingError(
        `the listing has not ended after ${this.#bytes} bytes with ${rows} objects`,
      );
  }
}
