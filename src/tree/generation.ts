import { markDigest } from '../base/content-digest.ts';
import type { ContentPlace, ContentVersion } from '../base/content-version.ts';
import { equalBytes } from './bytes.ts';
import { type Columns, openColumns } from './columns.ts';
import { wishedCookie } from './cookie.ts';
import {
  DIGEST_BYTES,
  FLAG_ARCHIVED,
  FLAG_DIGEST,
  FLAG_DIRECTORY,
  FLAG_EXECUTABLE,
  FLAG_PACKED_ETAG,
  FORMAT_VERSION,
  HEADER,
  HEADER_BYTES,
  ID_BYTES,
  layoutOf,
  MAGIC,
} from './layout.ts';
import { halfSipHash, type NameHash } from './name-hash.ts';
import { TreeError } from './tree-error.ts';

/**
 * A read-only view of one complete tree in one SharedArrayBuffer. Entry 0 is the root. Entries are in
 * breadth-first order, so the children of a directory are one range of indices. They are ordered by wished
 * cookie (see `wishedCookie`), then by name.
 *
 * Accessors take an index below `entries` and do not check it. Accessors that return numbers allocate
 * nothing.
 */
export class Generation {
  readonly buffer: SharedArrayBuffer;
  /** 32 hex digits; equal trees have equal ids on every host. */
  readonly id: string;
  /** The key of the hash from which cookies are made. */
  readonly salt: bigint;
  /** The number of files and directories, including the root. */
  readonly entries: number;
  readonly files: number;
  readonly directories: number;
  /** The sum of all file sizes, in bytes. */
  readonly bytes: number;
  /** The number of problems: keys that are left out, or shown with a defect (see `Problem`). */
  readonly problems: number;
  /** Whether contents are identified by their SHA-256, so that several files may share one version. */
  readonly isReleased: boolean;

  readonly #columns: Columns;
  readonly #flags: Uint8Array;
  readonly #childStarts: Uint32Array;
  readonly #cookieHigh: Uint32Array;
  readonly #cookieLow: Uint32Array;
  readonly #nameStarts: Uint32Array;
  readonly #heap: Uint8Array;
  readonly #text: Buffer;
  readonly #heapOffset: number;
  readonly #hash: NameHash;
  readonly #saltHigh: number;
  readonly #saltLow: number;
  readonly #wish = new Uint32Array(2);

  /**
   * Opens a buffer as a generation. Checks magic, format and length, but not the content: for buffers that
   * this process built, or that `restoreGeneration` checks. Throws TreeError `not-a-generation`,
   * `unsupported-format` or `truncated`, or `bad-state` if the header gives a tree that is too large.
   */
  static view(buffer: SharedArrayBuffer, hash: NameHash = halfSipHash): Generation {
    return new Generation(buffer, hash);
  }

  private constructor(buffer: SharedArrayBuffer, hash: NameHash) {
    if (buffer.byteLength < HEADER_BYTES) throw new TreeError('truncated', 'the header is cut off');
    const header = new DataView(buffer);
    const word = (offset: number): number => header.getUint32(offset, true);
    const [magic0, magic1] = new Uint32Array(buffer, 0, 2);
    if (magic0 !== MAGIC[0] || magic1 !== MAGIC[1]) {
      throw new TreeError('not-a-generation', 'these bytes are no generation');
    }
    const format = word(HEADER.format);
    if (format !== FORMAT_VERSION) {
      throw new TreeError('unsupported-format', `format ${format}, not ${FORMAT_VERSION}`);
    }
    const entries = word(HEADER.entries);
    const layout = layoutOf(entries, word(HEADER.heapBytes));
    if (entries === 0 || layout.byteLength !== buffer.byteLength) {
      throw new TreeError('truncated', `${buffer.byteLength} bytes instead of ${layout.byteLength}`);
    }
    const columns = openColumns(buffer, layout);
    this.buffer = buffer;
    this.entries = entries;
    this.files = word(HEADER.files);
    this.directories = word(HEADER.directories);
    this.problems = word(HEADER.problems);
    this.bytes = header.getFloat64(HEADER.bytes, true);
    this.isReleased = word(HEADER.released) === 1;
    this.#saltHigh = word(HEADER.saltHigh);
    this.#saltLow = word(HEADER.saltLow);
    this.salt = (BigInt(this.#saltHigh) << 32n) | BigInt(this.#saltLow);
    this.#columns = columns;
    this.#flags = columns.flags;
    this.#childStarts = columns.childStarts;
    this.#cookieHigh = columns.cookieHigh;
    this.#cookieLow = columns.cookieLow;
    this.#nameStarts = columns.nameStarts;
    this.#heap = columns.heap;
    this.#text = Buffer.from(buffer);
    this.#heapOffset = layout.heap;
    this.#hash = hash;
    this.id = this.#text.toString('hex', HEADER.id, HEADER.id + ID_BYTES);
  }

  /** The number of the publication; 0 until `setPublishTime` has written it. */
  get number(): number {
    return this.#columns.header.getFloat64(HEADER.number, true);
  }

  isDirectory(i: number): boolean {
    return (this.#flags[i]! & FLAG_DIRECTORY) !== 0;
  }

  /** Whether a file is shown although its content cannot be read before it is restored. */
  isArchived(i: number): boolean {
    return (this.#flags[i]! & FLAG_ARCHIVED) !== 0;
  }

  /** Whether a file has the execute bits. */
  isExecutable(i: number): boolean {
    return (this.#flags[i]! & FLAG_EXECUTABLE) !== 0;
  }

  /** The size in bytes; 0 for a directory. */
  size(i: number): number {
    return this.isDirectory(i) ? 0 : this.#columns.sizes[i]!;
  }

  /** The node id, below 2^53. Only the root has the id 1. */
  nodeId(i: number): number {
    return this.#columns.nodeIds[i]!;
  }

  /** The root is its own parent. */
  parent(i: number): number {
    return this.#columns.parents[i]!;
  }

  mtimeSeconds(i: number): number {
    return this.#columns.mtimeSeconds[i]!;
  }

  mtimeNanoseconds(i: number): number {
    return this.#columns.mtimeNanoseconds[i]!;
  }

  /** The store's date, in whole seconds since the epoch; 0 for a directory, and if the date is unknown. */
  lastModified(i: number): number {
    return this.#columns.lastModified[i]!;
  }

  /** The number of directories directly in a directory; 0 for a file. */
  subdirectories(i: number): number {
    return this.isDirectory(i) ? this.#columns.sizes[i]! : 0;
  }

  childrenStart(i: number): number {
    return this.#childStarts[i]!;
  }

  childrenEnd(i: number): number {
    return this.#childStarts[i + 1]!;
  }

  /** Returns a view of the name, not a copy: callers must not write to it. Empty for the root. */
  name(i: number): Uint8Array {
    return this.#heap.subarray(this.#nameStarts[i]!, this.#nameStarts[i + 1]!);
  }

  nameLength(i: number): number {
    return this.#nameStarts[i + 1]! - this.#nameStarts[i]!;
  }

  /** Returns the path below the prefix, without slashes at its ends; '' for the root. */
  path(i: number): string {
    if (i === 0) return '';
    const offset = this.#heapOffset;
    let path = this.#text.toString('utf8', offset + this.#nameStarts[i]!, offset + this.#nameStarts[i + 1]!);
    for (let at = this.parent(i); at !== 0; at = this.parent(at)) {
      const start = offset + this.#nameStarts[at]!;
      path = `${this.#text.toString('utf8', start, start + this.nameLength(at))}/${path}`;
    }
    return path;
  }

  /**
   * Returns the ETag as listed, without quotes, one character a byte; the marked date or SHA-256 if that has
   * the place of the ETag; '' for a directory.
   */
  etag(i: number): string {
    if ((this.#flags[i]! & FLAG_PACKED_ETAG) !== 0) return this.#hex(this.#columns.etagBytes, i);
    if ((this.#flags[i]! & FLAG_DIGEST) !== 0) return markDigest(this.#digest(this.#columns.etags[4 * i]!));
    const start = this.#heapOffset + this.#columns.etags[4 * i]!;
    return this.#text.toString('latin1', start, start + this.#columns.etags[4 * i + 1]!);
  }

  /** Returns the name of the content version as 32 hex digits; all are zero for a directory. */
  versionName(i: number): string {
    return this.#hex(this.#columns.versions, i);
  }

  /** Copies the 16 bytes that `versionName` returns as text to `into`, from position `at` on. */
  copyVersion(i: number, into: Uint8Array, at: number): void {
    const { versions } = this.#columns;
    for (let k = 0; k < 16; k++) into[at + k] = versions[16 * i + k]!;
  }

  version(i: number): ContentVersion {
    const name = this.versionName(i);
    const path = this.path(i);
    const etag = this.etag(i);
    const size = this.size(i);
    const seconds = this.lastModified(i);
    const place = this.place(i);
    if (place !== undefined) {
      return { name, path, etag, size, ...(seconds !== 0 && { lastModified: 1000 * seconds }), place };
    }
    // Without spreads: see docs/architecture.md, "What an object costs".
    return seconds === 0
      ? { name, path, etag, size }
      : { name, path, etag, size, lastModified: 1000 * seconds };
  }

  /**
   * Returns where the content of a file is stored in a release. Undefined for an empty file and for a
   * directory, and if the tree is not that of a release.
   */
  place(i: number): ContentPlace | undefined {
    if ((this.#flags[i]! & FLAG_DIGEST) === 0 || this.size(i) === 0) return undefined;
    const { etags } = this.#columns;
    return { pack: this.#digest(etags[4 * i + 2]!), offset: etags[4 * i + 3]! };
  }

  /**
   * Returns whether two files of equal content, in this and another generation, are stored in the same place
   * of the same pack. Always true for empty files, and if neither tree is that of a release.
   */
  samePlace(i: number, other: Generation, j: number): boolean {
    if (((this.#flags[i]! | other.#flags[j]!) & FLAG_DIGEST) === 0 || this.size(i) === 0) return true;
    const mine = this.#columns.etags;
    const theirs = other.#columns.etags;
    if (mine[4 * i + 3] !== theirs[4 * j + 3]) return false;
    return equalBytes(this.#heap, mine[4 * i + 2]!, other.#heap, theirs[4 * j + 2]!, DIGEST_BYTES);
  }

  /** The upper half of the cookie, below 2^31. */
  cookieHigh(i: number): number {
    return this.#cookieHigh[i]!;
  }

  cookieLow(i: number): number {
    return this.#cookieLow[i]!;
  }

  /** Returns the entry with this node id, or -1 if there is none. */
  indexOfNode(nodeId: number): number {
    const { byNode, nodeIds } = this.#columns;
    let low = 0;
    let high = this.entries;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (nodeIds[byNode[middle]!]! < nodeId) low = middle + 1;
      else high = middle;
    }
    if (low === this.entries) return -1;
    const index = byNode[low]!;
    return nodeIds[index] === nodeId ? index : -1;
  }

  /** Returns the entry at position `rank` (from 0) in the order of ascending node ids. */
  entryByNodeRank(rank: number): number {
    return this.#columns.byNode[rank]!;
  }

  /** Returns the child of `directory` with this name; -1 if there is none, or if `directory` is a file. */
  lookup(directory: number, name: Uint8Array): number {
    const wish = this.#wish;
    wishedCookie(this.#hash, this.#saltHigh, this.#saltLow, name, 0, name.length, wish);
    let high = wish[1]!;
    let low = wish[0]!;
    const end = this.childrenEnd(directory);
    for (let i = this.#firstAtLeast(directory, high, low); i < end; i++) {
      if (this.#cookieHigh[i] !== high || this.#cookieLow[i] !== low) return -1;
      const start = this.#nameStarts[i]!;
      const length = this.#nameStarts[i + 1]! - start;
      if (length === name.length && equalBytes(this.#heap, start, name, 0, length)) return i;
      low = (low + 1) >>> 0;
      if (low === 0) high++;
    }
    return -1;
  }

  /** Returns the first child whose cookie is greater than the given one; `childrenEnd` if there is none. */
  seek(directory: number, cookieHigh: number, cookieLow: number): number {
    const carry = cookieLow === 0xffffffff;
    return this.#firstAtLeast(directory, carry ? cookieHigh + 1 : cookieHigh, carry ? 0 : cookieLow + 1);
  }

  /** Returns the entry at a path below the prefix ('' is the root), or -1 if there is none. */
  find(path: string): number {
    if (path === '') return 0;
    const bytes = Buffer.from(path);
    // A lone surrogate would be encoded as U+FFFD, a different name.
    if (bytes.toString() !== path) return -1;
    let index = 0;
    for (let start = 0; start <= bytes.length && index !== -1; ) {
      const slash = bytes.indexOf(0x2f, start);
      const end = slash === -1 ? bytes.length : slash;
      index = this.lookup(index, bytes.subarray(start, end));
      start = end + 1;
    }
    return index;
  }

  /** Returns whether two entries, one of this and one of another generation, have the same name. */
  sameName(i: number, other: Generation, j: number): boolean {
    const length = this.nameLength(i);
    if (length !== other.nameLength(j)) return false;
    return equalBytes(this.#heap, this.#nameStarts[i]!, other.#heap, other.#nameStarts[j]!, length);
  }

  /**
   * Returns whether two files have the same size and the same ETag; in trees of releases, the same SHA-256.
   */
  sameContent(i: number, other: Generation, j: number): boolean {
    const mine = this.#columns;
    const theirs = other.#columns;
    if (mine.sizes[i] !== theirs.sizes[j]) return false;
    const packed = this.#flags[i]! & FLAG_PACKED_ETAG;
    if (packed !== (other.#flags[j]! & FLAG_PACKED_ETAG)) return false;
    if (this.isReleased !== other.isReleased) return false;
    if (packed !== 0) return equalBytes(mine.etagBytes, 16 * i, theirs.etagBytes, 16 * j, 16);
    const length = mine.etags[4 * i + 1]!;
    if (length !== theirs.etags[4 * j + 1]) return false;
    return equalBytes(mine.heap, mine.etags[4 * i]!, theirs.heap, theirs.etags[4 * j]!, length);
  }

  #firstAtLeast(directory: number, cookieHigh: number, cookieLow: number): number {
    const highs = this.#cookieHigh;
    const lows = this.#cookieLow;
    let low = this.childrenStart(directory);
    let high = this.childrenEnd(directory);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = highs[middle]!;
      if (at < cookieHigh || (at === cookieHigh && lows[middle]! < cookieLow)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Returns the SHA-256 at an offset of the heap, as 64 hex digits. */
  #digest(inHeap: number): string {
    const start = this.#heapOffset + inHeap;
    return this.#text.toString('hex', start, start + DIGEST_BYTES);
  }

  #hex(column: Uint8Array, i: number): string {
    const start = column.byteOffset + 16 * i;
    return this.#text.toString('hex', start, start + 16);
  }
}
