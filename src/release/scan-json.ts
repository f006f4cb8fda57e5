import { compareCodePoints } from './code-points.ts';

/** The form of the bytes of a JSON document. Has no meaning for other bytes. */
export type JsonForm =
  /** The bytes are the canonical text of the document's value. */
  | 'canonical'
  /** The bytes are another text of the value, or the value has no canonical text. */
  | 'other'
  /** The document has more levels, more objects and lists, or more values than the bounds allow. */
  | 'too-much';

export interface JsonBounds {
  readonly levels: number;
  /** The number of objects and lists together. */
  readonly containers: number;
  readonly values: number;
}

/**
 * Returns the form of a document, so that it is known to be bounded and canonical before it is parsed. Looks
 * at each byte once and keeps no values. The alternative, to serialize the parsed value and compare the
 * texts, takes four times as long as parsing: 2.2 MiB, 10,000 files.
 */
export function scanJson(bytes: Uint8Array, bounds: JsonBounds): JsonForm {
  return new JsonScan(bytes, bounds).form();
}

const [QUOTE, COMMA, MINUS, POINT, ZERO, NINE, COLON] = [0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x3a];
const [OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d];
const [LETTER_E, LETTER_U] = [0x65, 0x75];
/** The characters that follow the backslash in a short escape. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set(Buffer.from('"\\bfnrt'));
/** The control characters that have a short escape. */
const HAVE_SHORT: ReadonlySet<number> = new Set([8, 9, 10, 12, 13]);
const LONGEST_INTEGER = String(Number.MIN_SAFE_INTEGER).length;

/** Where a key is in the document, without its quotes. */
interface Key {
  readonly start: number;
  readonly end: number;
  readonly hasEscape: boolean;
}

class JsonScan {
  readonly #bytes: Uint8Array;
  readonly #bounds: JsonBounds;
  /**
   * The open objects and lists, the outermost first. `key`: the last key of an object; undefined for a list,
   * and for an object that has no key yet.
   */
  readonly #levels: { readonly isObject: boolean; key: Key | undefined }[] = [];
  #at = 0;
  #isOther = false;

  constructor(bytes: Uint8Array, bounds: JsonBounds) {
    this.#bytes = bytes;
    this.#bounds = bounds;
  }

  form(): JsonForm {
    const bytes = this.#bytes;
    let containers = 0;
    let values = 1;
    while (this.#at < bytes.length) {
      const byte = bytes[this.#at]!;
      switch (byte) {
        case QUOTE:
          this.#string();
          continue;
        case OPEN_LIST:
        case OPEN_OBJECT:
          containers++;
          this.#levels.push({ isObject: byte === OPEN_OBJECT, key: undefined });
          if (this.#levels.length > this.#bounds.levels || containers > this.#bounds.containers)
            return 'too-much';
          break;
        case CLOSE_LIST:
        case CLOSE_OBJECT:
          this.#levels.pop();
          break;
        case COMMA:
          values++;
          if (values > this.#bounds.values) return 'too-much';
          break;
        case COLON:
          break;
        default:
          if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
            this.#number();
            continue;
          }
          // Any other byte is white space, or a letter of true, false and null.
          if (byte <= 0x20) this.#isOther = true;
      }
      this.#at++;
    }
    return this.#isOther ? 'other' : 'canonical';
  }

  #string(): void {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    let hasEscape = false;
    for (; at < bytes.length && bytes[at] !== QUOTE; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH) {
        hasEscape = true;
        at += this.#escape(at);
      } else if (byte < 0x20 || byte > 0x7e) {
        this.#isOther = true;
      }
    }
    this.#at = at + 1;
    if (bytes[at + 1] === COLON) this.#key({ start, end: at, hasEscape });
  }

  /** Returns how many bytes of the escape at `at` follow its backslash. */
  #escape(at: number): number {
    const kind = this.#bytes[at + 1];
    if (kind !== LETTER_U) {
      if (!SHORT_ESCAPES.has(kind ?? 0)) this.#isOther = true;
      return 1;
    }
    const unit = this.#unit(at);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const isPair = this.#bytes[at + 6] === BACKSLASH && this.#bytes[at + 7] === LETTER_U;
      const low = isPair ? this.#unit(at + 6) : -1;
      if (low >= 0xdc00 && low <= 0xdfff) return 11;
      this.#isOther = true;
    } else if ((unit >= 0x20 && unit <= 0x7e) || HAVE_SHORT.has(unit) || (unit >= 0xdc00 && unit <= 0xdfff)) {
      this.#isOther = true;
    }
    return 5;
  }

  /**
   * Returns the UTF-16 unit of the escape `\uXXXX` at `at`. The form is `other` if a digit is not lower case.
   */
  #unit(at: number): number {
    let unit = 0;
    for (let digit = at + 2; digit < at + 6; digit++) {
      const byte = this.#bytes[digit] ?? 0;
      const isLetter = byte >= 0x61 && byte <= 0x66;
      if (!isLetter && !(byte >= ZERO && byte <= NINE)) this.#isOther = true;
      unit = unit * 16 + (isLetter ? byte - 0x57 : byte - ZERO);
    }
    return unit;
  }

  #key(key: Key): void {
    const level = this.#levels.at(-1);
    if (level?.isObject !== true) return;
    if (level.key !== undefined && this.#compare(level.key, key) >= 0) this.#isOther = true;
    level.key = key;
  }

  /** Compares two keys by code points. Without escapes and within ASCII, that is the order of their bytes. */
  #compare(one: Key, other: Key): number {
    if (one.hasEscape || other.hasEscape) return compareCodePoints(this.#decoded(one), this.#decoded(other));
    const length = Math.min(one.end - one.start, other.end - other.start);
    for (let at = 0; at < length; at++) {
      const difference = this.#bytes[one.start + at]! - this.#bytes[other.start + at]!;
      if (difference !== 0) return difference;
    }
    return one.end - one.start - (other.end - other.start);
  }

  #decoded({ start, end }: Key): string {
    try {
      const quoted = Buffer.from(this.#bytes.subarray(start - 1, end + 1)).toString('latin1');
      return JSON.parse(quoted) as string;
    } catch {
      this.#isOther = true;
      return '';
    }
  }

  #number(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at]!;
      const isDigit = byte >= ZERO && byte <= NINE;
      if (isDigit || (byte === MINUS && this.#at === start)) continue;
      if (byte !== POINT && (byte | 0x20) !== LETTER_E && byte !== MINUS && byte !== 0x2b) break;
      this.#isOther = true;
    }
    const length = this.#at - start;
    if (bytes[start] === MINUS && bytes[start + 1] === ZERO) this.#isOther = true;
    if (length < LONGEST_INTEGER - 1) return;
    const number =
      length > LONGEST_INTEGER
        ? Number.NaN
        : Number(Buffer.from(bytes.subarray(start, this.#at)).toString('latin1'));
    if (!Number.isSafeInteger(number)) this.#isOther = true;
  }
}
