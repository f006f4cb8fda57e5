import { EndlessListingError } from './errors.ts';

/** S3 may send pages without objects, or with few (behind many delete markers), but not without end. */
const FREE_PAGES = 1_000;
const LEAST_ROWS_A_PAGE = 10;

/** What the answers of a listing may hold besides its objects, and with each of them: keys of S3 are 3 KiB, encoded. */
const FREE_BYTES = 256 * 1024 * 1024;
const BYTES_A_ROW = 4 * 1024;
/** Five million objects with keys of 200 bytes take 3 GiB. */
const MAX_BYTES = 8 * 1024 ** 3;

/** Where ranges are read at a time, what lies behind each of them comes twice. */
const OVERLAP = 2;

/**
 * Bounds what a store may answer to one listing, however its pages are read: a store whose listing never ends must not
 * keep this busy, or fill the memory, for ever.
 */
export class ListingBudget {
  readonly #maxObjects: number;
  #pages = 0;
  #rows = 0;
  #bytes = 0;

  constructor(maxObjects: number) {
    this.#maxObjects = maxObjects;
  }

  /** An answer came, whether it is a page or not. */
  takeAnswer(bytes: number): void {
    this.#bytes += bytes;
    this.#check();
  }

  /** A page was read. */
  takePage(rows: number): void {
    this.#pages++;
    this.#rows += rows;
    this.#check();
  }

  #check(): void {
    const pages = this.#pages;
    const rows = this.#rows;
    if (rows > OVERLAP * this.#maxObjects)
      throw new EndlessListingError(`the listing goes on for ${rows} objects`);
    if (pages > FREE_PAGES + rows / LEAST_ROWS_A_PAGE)
      throw new EndlessListingError(`the listing goes on for ${pages} pages with ${rows} objects`);
    if (this.#bytes > Math.min(MAX_BYTES, FREE_BYTES + rows * BYTES_A_ROW))
      throw new EndlessListingError(`the listing goes on for ${this.#bytes} bytes with ${rows} objects`);
  }
}
