import type { ListedObjects } from '../../base/listed-objects.ts';
import { tooManyBytes } from './errors.ts';
import { MAX_KEY_BYTES } from './key.ts';

/** The size of the columns to allocate at first. A listing may become larger. */
export interface ExpectedSize {
  readonly rows: number;
  readonly keyBytes: number;
  readonly etagBytes: number;
}

/** Room for one page of S3. */
export const ONE_PAGE: ExpectedSize = { rows: 1000, keyBytes: 48_000, etagBytes: 32_000 };

/**
 * The maximum number of bytes of all keys, or of all ETags. Their end positions have 32 bits. Five million
 * keys of 200 bytes fit.
 */
const MAX_HEAP_BYTES = 2 ** 30;

/**
 * A listing under construction: columns that double when full.
 *
 * A row is written in steps, because its fields come in any order: first {@link begin}, then key and ETag at
 * the tails of their heaps ({@link keyTail}, {@link etagTail}), then {@link commit}, which counts the row.
 * The next row overwrites bytes that were not committed.
 *
 * A million objects with keys of 54 bytes and MD5 ETags take 106 MB (bench/listing.ts). Doubling the largest
 * column briefly takes some 50 MB more, unless the expected size is known, as it is after the first listing.
 */
export class ListingColumns {
  /**
   * The bytes up to {@link keyBytes} are committed keys. Those up to {@link keyTail} are of the key being
   * written.
   */
  keys: Uint8Array;
  etags: Uint8Array;
  /** The end of the key that is being written. The writer sets it before {@link commit}. */
  keyTail = 0;
  etagTail = 0;

  #count = 0;
  #keyEnds: Uint32Array;
  #etagEnds: Uint32Array;
  #sizes: Float64Array;
  #lastModified: Float64Array;
  #archived: Uint8Array;

  constructor(expected: ExpectedSize = ONE_PAGE) {
    const rows = Math.max(1, expected.rows);
    this.keys = new Uint8Array(expected.keyBytes);
    this.etags = new Uint8Array(expected.etagBytes);
    this.#keyEnds = new Uint32Array(rows);
    this.#etagEnds = new Uint32Array(rows);
    this.#sizes = new Float64Array(rows);
    this.#lastModified = new Float64Array(rows);
    this.#archived = new Uint8Array(rows);
  }

  get count(): number {
    return this.#count;
  }

  /** The end of the committed keys, where a new key starts. */
  get keyBytes(): number {
    return this.#count === 0 ? 0 : (this.#keyEnds[this.#count - 1] ?? 0);
  }

  get etagBytes(): number {
    return this.#count === 0 ? 0 : (this.#etagEnds[this.#count - 1] ?? 0);
  }

  /** Makes room for `more` bytes after the keys written so far. */
  reserveKey(more: number): void {
    this.keys = withRoom(this.keys, this.keyTail, more);
  }

  reserveEtag(more: number): void {
    this.etags = withRoom(this.etags, this.etagTail, more);
  }

  /**
   * Whether the key that is being written equals the bytes `keys[start..end)`, which were decoded after it.
   */
  isKeyAt(start: number, end: number): boolean {
    const written = this.keys.subarray(this.keyBytes, this.keyTail);
    return Buffer.compare(written, this.keys.subarray(start, end)) === 0;
  }

  /** Begins a row without key and ETag, and discards uncommitted bytes. */
  begin(): void {
    this.keyTail = this.keyBytes;
    this.etagTail = this.etagBytes;
  }

  /**
   * Ends the row whose key and ETag were written up to {@link keyTail} and {@link etagTail}.
   *
   * @param size NaN: unknown
   * @param lastModified NaN: unknown
   */
  commit(size: number, lastModified: number, archived: boolean): void {
    const row = this.#count;
    if (row === this.#keyEnds.length) this.#growRows(1);
    this.#keyEnds[row] = this.keyTail;
    this.#etagEnds[row] = this.etagTail;
    this.#sizes[row] = size;
    this.#lastModified[row] = lastModified;
    this.#archived[row] = archived ? 1 : 0;
    this.#count = row + 1;
  }

  /** Discards the rows from `count` on, so that a corrupt page leaves no rows behind. */
  truncate(count: number): void {
    if (count < this.#count) this.#count = count;
  }

  keyStart(row: number): number {
    return row === 0 ? 0 : (this.#keyEnds[row - 1] ?? 0);
  }

  keyEnd(row: number): number {
    return this.#keyEnds[row] ?? 0;
  }

  /**
   * Returns the key of a row, as a view of the column. Copy the key to keep it, because a write after
   * truncate() can overwrite its bytes.
   */
  key(row: number): Uint8Array {
    return this.keys.subarray(this.keyStart(row), this.keyEnd(row));
  }

  /**
   * Whether each key from row `first` on is greater, byte by byte, than the key before it. Two overlong keys
   * with the same beginning cannot be compared, because they were cut; they count as in order.
   */
  isOrderedFrom(first: number): boolean {
    const keys = this.keys;
    for (let row = Math.max(1, first); row < this.#count; row++) {
      const left = this.keyStart(row - 1);
      const middle = this.keyEnd(row - 1);
      const right = this.keyEnd(row);
      const shorter = Math.min(middle - left, right - middle);
      let i = 0;
      while (i < shorter && keys[left + i] === keys[middle + i]) i++;
      const ascends =
        i === shorter
          ? middle - left < right - middle || (shorter > MAX_KEY_BYTES && middle - left === right - middle)
          : (keys[left + i] ?? 0) < (keys[middle + i] ?? 0);
      if (!ascends) return false;
    }
    return true;
  }

  /** Appends the rows of `other`. */
  append(other: ListingColumns): void {
    const added = other.#count;
    const keyBytes = this.keyBytes;
    const etagBytes = this.etagBytes;
    this.begin();
    this.reserveKey(other.keyBytes);
    this.reserveEtag(other.etagBytes);
    this.keys.set(other.keys.subarray(0, other.keyBytes), keyBytes);
    this.etags.set(other.etags.subarray(0, other.etagBytes), etagBytes);
    const first = this.#count;
    if (first + added > this.#keyEnds.length) this.#growRows(added);
    for (let row = 0; row < added; row++) {
      this.#keyEnds[first + row] = keyBytes + (other.#keyEnds[row] ?? 0);
      this.#etagEnds[first + row] = etagBytes + (other.#etagEnds[row] ?? 0);
    }
    this.#sizes.set(other.#sizes.subarray(0, added), first);
    this.#lastModified.set(other.#lastModified.subarray(0, added), first);
    this.#archived.set(other.#archived.subarray(0, added), first);
    this.#count = first + added;
  }

  /** Returns the finished listing: views of these columns, which must not be written to afterwards. */
  finish(): ListedObjects {
    const count = this.#count;
    return {
      count,
      keys: this.keys.subarray(0, this.keyBytes),
      keyEnds: this.#keyEnds.subarray(0, count),
      sizes: this.#sizes.subarray(0, count),
      lastModified: this.#lastModified.subarray(0, count),
      etags: this.etags.subarray(0, this.etagBytes),
      etagEnds: this.#etagEnds.subarray(0, count),
      archived: this.#archived.subarray(0, count),
    };
  }

  #growRows(more: number): void {
    const capacity = Math.max(this.#count + more, this.#keyEnds.length * 2);
    this.#keyEnds = grownTo(new Uint32Array(capacity), this.#keyEnds);
    this.#etagEnds = grownTo(new Uint32Array(capacity), this.#etagEnds);
    this.#sizes = grownTo(new Float64Array(capacity), this.#sizes);
    this.#lastModified = grownTo(new Float64Array(capacity), this.#lastModified);
    this.#archived = grownTo(new Uint8Array(capacity), this.#archived);
  }
}

function withRoom(bytes: Uint8Array, used: number, more: number): Uint8Array {
  if (used + more <= bytes.length) return bytes;
  if (used + more > MAX_HEAP_BYTES) throw tooManyBytes(MAX_HEAP_BYTES);
  const grown = new Uint8Array(Math.max(used + more, Math.min(bytes.length * 2, MAX_HEAP_BYTES)));
  grown.set(bytes.subarray(0, used));
  return grown;
}

function grownTo<Column extends { set(values: Column): void }>(grown: Column, old: Column): Column {
  grown.set(old);
  return grown;
}
