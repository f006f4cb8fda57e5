import { bareEtagRange, isEtagByte, LONGEST_ETAG } from './etag.ts';
import type { ListingColumns } from './list-columns.ts';
import { corrupt } from './list-errors.ts';
import { type KeyDecoder, OUTSIDE_PREFIX } from './list-key.ts';
import { parseInstant } from './list-time.ts';
import type { XmlReader } from './list-xml.ts';

/** S3 allows 1,024 bytes; other stores more. */
export const MAX_KEY_BYTES = 4096;

const CONTENTS = Buffer.from('Contents');
const KEY = Buffer.from('Key');
const SIZE = Buffer.from('Size');
const ETAG = Buffer.from('ETag');
const LAST_MODIFIED = Buffer.from('LastModified');
const STORAGE_CLASS = Buffer.from('StorageClass');

/** Storage classes whose objects cannot be read before they are restored. GLACIER_IR can. */
const ARCHIVED_CLASSES = [Buffer.from('GLACIER'), Buffer.from('DEEP_ARCHIVE')] as const;

/** The fields of an object that were seen, as bits. */
const SEEN = { key: 1, size: 2, etag: 4, lastModified: 8, storageClass: 16 } as const;
const SEEN_ALL = SEEN.key | SEEN.size | SEEN.etag | SEEN.lastModified;

/** Reads the `Contents` elements of one page into columns. */
export class ObjectReader {
  /** The text of the first key that has an escape in it. */
  firstEscaped: string | undefined;

  readonly #xml: XmlReader;
  readonly #columns: ListingColumns;
  readonly #keys: KeyDecoder;

  constructor(xml: XmlReader, columns: ListingColumns, keys: KeyDecoder) {
    this.#xml = xml;
    this.#columns = columns;
    this.#keys = keys;
  }

  /** After the opening tag: reads to the closing one, and commits the object to the columns. */
  read(): void {
    const xml = this.#xml;
    const columns = this.#columns;
    const keys = this.#keys;
    let seen = 0;
    let size = 0;
    let lastModified = 0;
    let archived = false;
    for (let inner = xml.next(); inner !== 'close'; inner = xml.next()) {
      if (inner === 'end') throw corrupt('the listing ends before its end');
      if (inner === 'empty') continue;
      const field = fieldNamed(xml);
      if ((seen & field) !== 0) throw corrupt('the listing says a field of an object twice');
      seen |= field;
      switch (field) {
        case SEEN.key:
          this.#readKey();
          break;
        case SEEN.lastModified:
          lastModified = this.#readInstant();
          break;
        case SEEN.etag:
          this.#readEtag();
          break;
        case SEEN.size:
          size = this.#readSize();
          break;
        case SEEN.storageClass:
          xml.readText();
          archived = ARCHIVED_CLASSES.some((name) => xml.isText(name));
          break;
        default:
          xml.skipElement();
      }
    }
    if (!xml.isNamed(CONTENTS)) throw corrupt('the listing holds tags that do not match');
    if ((seen & SEEN_ALL) !== SEEN_ALL) throw corrupt(`the listing lacks ${missing(seen)} of an object`);
    if (!keys.sawOutside) columns.commit(size, lastModified, archived);
  }

  #readKey(): void {
    const xml = this.#xml;
    xml.readText();
    const columns = this.#columns;
    const length = xml.textEnd - xml.textStart;
    // An encoded byte has three characters.
    if (length > MAX_KEY_BYTES * 3)
      throw corrupt(`the listing holds a key of more than ${MAX_KEY_BYTES} bytes`);
    columns.reserveKey(length);
    const start = columns.keyBytes;
    const end = this.#keys.decode(xml.text, xml.textStart, xml.textEnd, columns.keys, start);
    if (this.firstEscaped === undefined && this.#keys.sawEscape) this.firstEscaped = xml.textString();
    if (end === OUTSIDE_PREFIX) return;
    if (end - start > MAX_KEY_BYTES)
      throw corrupt(`the listing holds a key of more than ${MAX_KEY_BYTES} bytes`);
    columns.keyTail = end;
  }

  #readEtag(): void {
    const xml = this.#xml;
    xml.readText();
    const text = xml.text;
    const { start, end } = bareEtagRange(text, xml.textStart, xml.textEnd);
    if (start === end) throw corrupt('the listing holds an object without an ETag');
    if (end - start > LONGEST_ETAG) throw corrupt('the listing holds an overlong ETag');
    const columns = this.#columns;
    columns.reserveEtag(end - start);
    const etags = columns.etags;
    let tail = columns.etagBytes;
    for (let at = start; at < end; at++) {
      const byte = text[at] as number;
      // It is sent back in an If-Match header.
      if (!isEtagByte(byte)) throw corrupt('the listing holds an ETag that no header can carry');
      etags[tail++] = byte;
    }
    columns.etagTail = tail;
  }

  #readInstant(): number {
    const xml = this.#xml;
    xml.readText();
    const instant = parseInstant(xml.text, xml.textStart, xml.textEnd);
    if (Number.isNaN(instant)) throw corrupt('the listing holds a date that is none');
    return instant;
  }

  #readSize(): number {
    const xml = this.#xml;
    xml.readText();
    const length = xml.textEnd - xml.textStart;
    let size = 0;
    for (let at = xml.textStart; at < xml.textEnd; at++) {
      const digit = (xml.text[at] as number) - 0x30;
      size = digit < 0 || digit > 9 ? Number.NaN : size * 10 + digit;
    }
    if (length === 0 || length > 16 || !Number.isSafeInteger(size))
      throw corrupt('the listing holds a size that is none');
    return size;
  }
}

/** The bit of the field that the last tag opens, 0 for one that is of no interest. By length first: it is fast. */
function fieldNamed(xml: XmlReader): number {
  switch (xml.nameEnd - xml.nameStart) {
    case KEY.length:
      return xml.isNamed(KEY) ? SEEN.key : 0;
    case SIZE.length:
      return xml.isNamed(SIZE) ? SEEN.size : xml.isNamed(ETAG) ? SEEN.etag : 0;
    case LAST_MODIFIED.length:
      return xml.isNamed(LAST_MODIFIED)
        ? SEEN.lastModified
        : xml.isNamed(STORAGE_CLASS)
          ? SEEN.storageClass
          : 0;
    default:
      return 0;
  }
}

function missing(seen: number): string {
  if ((seen & SEEN.key) === 0) return 'the key';
  if ((seen & SEEN.size) === 0) return 'the size';
  if ((seen & SEEN.etag) === 0) return 'the ETag';
  return 'the date';
}
