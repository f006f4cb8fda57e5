import type { ListingColumns } from './columns.ts';
import { corrupt, endsEarly, quoted } from './errors.ts';
import { cutEscaped, cutKey, type KeyDecoder, MAX_KEY_BYTES, OUTSIDE_PREFIX } from './key.ts';
import { parseInstant } from './time.ts';
import { readEtag, readSize } from './values.ts';
import type { XmlReader } from './xml.ts';

const CONTENTS = Buffer.from('Contents');
const KEY = Buffer.from('Key');
const SIZE = Buffer.from('Size');
const ETAG = Buffer.from('ETag');
const LAST_MODIFIED = Buffer.from('LastModified');
const STORAGE_CLASS = Buffer.from('StorageClass');

/**
 * Storage classes whose objects must be restored before they can be read. Objects of GLACIER_IR can be read.
 */
const ARCHIVED_CLASSES = [Buffer.from('GLACIER'), Buffer.from('DEEP_ARCHIVE')] as const;

/** The fields that an object has, as bits. */
const SEEN = { key: 1, size: 2, etag: 4, lastModified: 8, storageClass: 16 } as const;

/**
 * Parses the `Contents` elements of one page into columns.
 *
 * An object without a key makes the whole page invalid, because the listing then lacks a key. Any other field
 * that is missing, unreadable, or repeated with another value counts as unknown, and the object is listed
 * without the field: see {@link ListedObjects}.
 */
export class ContentsParser {
  /** The text of the first key with an escape. */
  firstEscaped: string | undefined;
  /** The texts of the first invalid keys, for errors. */
  firstMalformed: string | undefined;
  firstOutside: string | undefined;

  readonly #xml: XmlReader;
  readonly #columns: ListingColumns;
  readonly #keys: KeyDecoder;

  constructor(xml: XmlReader, columns: ListingColumns, keys: KeyDecoder) {
    this.#xml = xml;
    this.#columns = columns;
    this.#keys = keys;
  }

  /**
   * Reads an object after its opening tag, to the closing tag, and commits it if its key is below the prefix.
   * Returns false if the element is empty.
   */
  read(): boolean {
    const xml = this.#xml;
    const columns = this.#columns;
    const keys = this.#keys;
    let isEmpty = true;
    let seen = 0;
    let size = Number.NaN;
    let lastModified = Number.NaN;
    let archived = false;
    columns.begin();
    for (let inner = xml.next(); inner !== 'close'; inner = xml.next()) {
      if (inner === 'end') throw endsEarly();
      isEmpty = false;
      if (inner === 'empty') continue;
      const field = fieldNamed(xml);
      const isSecond = (seen & field) !== 0;
      seen |= field;
      switch (field) {
        case SEEN.key:
          this.#readKey(isSecond);
          break;
        case SEEN.lastModified: {
          const instant = this.#readInstant();
          lastModified = isSecond ? same(lastModified, instant) : instant;
          break;
        }
        case SEEN.etag:
          xml.readText();
          readEtag(xml, columns, isSecond);
          break;
        case SEEN.size: {
          xml.readText();
          const read = readSize(xml);
          size = isSecond ? same(size, read) : read;
          break;
        }
        case SEEN.storageClass: {
          xml.readText();
          const isArchived = ARCHIVED_CLASSES.some((name) => xml.isText(name));
          archived = isArchived && (!isSecond || archived);
          break;
        }
        default:
          xml.skipElement();
      }
    }
    if (!xml.isNamed(CONTENTS)) throw corrupt('the listing holds tags that do not match');
    if (isEmpty) return false;
    if ((seen & SEEN.key) === 0) throw corrupt('the listing holds an object without a key');
    if (!keys.sawOutside) columns.commit(size, lastModified, archived);
    return true;
  }

  #readKey(isSecond: boolean): void {
    const xml = this.#xml;
    const columns = this.#columns;
    const keys = this.#keys;
    xml.readText();
    const { text, textStart } = xml;
    const isLonger = xml.textEnd - textStart > keys.longestText;
    const textEnd = isLonger ? cutEscaped(text, textStart, keys.longestText) : xml.textEnd;
    // A second key is read after the first and compared with it.
    const start = isSecond ? columns.keyTail : columns.keyBytes;
    columns.reserveKey(textEnd - textStart);
    const { sawEscape } = keys;
    let end = keys.decode(text, textStart, textEnd, columns.keys, start);
    if (keys.sawMalformed) this.firstMalformed ??= quoted(xml.textString(textEnd));
    if (end === OUTSIDE_PREFIX) {
      this.firstOutside ??= quoted(xml.textString(textEnd));
      return;
    }
    if (end - start > MAX_KEY_BYTES) {
      // A tree leaves out an overlong key under either encoding, so the store need not be asked for the
      // encoding.
      keys.sawEscape = sawEscape;
      end = cutKey(columns.keys, start, end);
    } else if (this.firstEscaped === undefined && keys.sawEscape) this.firstEscaped = xml.textString();
    if (!isSecond) columns.keyTail = end;
    else if (!columns.isKeyAt(start, end)) {
      throw corrupt(`the listing gives an object two keys; the second is ${quoted(xml.textString(textEnd))}`);
    }
  }

  #readInstant(): number {
    const xml = this.#xml;
    xml.readText();
    return parseInstant(xml.text, xml.textStart, xml.textEnd);
  }
}

/** Returns the value of a repeated field; NaN (unknown) if its two values differ. */
function same(first: number, second: number): number {
  return first === second ? first : Number.NaN;
}

/**
 * Returns the bit of the field that the last tag opens; 0 for an unused field. Compares lengths first,
 * because that is fast.
 */
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
