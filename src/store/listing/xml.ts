import { corrupt, endsEarly, notAListing } from './errors.ts';
import { startsWith, TextBuffer } from './text.ts';

/** The kinds of tag that {@link XmlReader.next} stops at; `end` is the end of the document. */
export type XmlTag = 'open' | 'close' | 'empty' | 'end';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const BANG = 0x21;
const DOUBLE_QUOTE = 0x22;
const AMPERSAND = 0x26;
const SINGLE_QUOTE = 0x27;
const HYPHEN = 0x2d;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;
const QUESTION_MARK = 0x3f;
const LETTER_D = 0x64;

const CDATA_OPEN = Buffer.from('<![CDATA[');
const CDATA_CLOSE = Buffer.from(']]>');
const COMMENT_CLOSE = Buffer.from('-->');
const INSTRUCTION_CLOSE = Buffer.from('?>');

const NAME_STOPS = nameStops();

/**
 * A pull reader over the bytes of an XML document, for documents as plain as S3's answers. It allocates no
 * memory for an element, and returns ranges of bytes.
 *
 * Refuses a DOCTYPE, so no entity can be defined. Unlike XML 1.0 it neither normalizes line ends nor refuses
 * control characters, because some stores do not escape them in keys, and the bytes of a key must survive.
 * Anything else that is not well-formed throws {@link StoreError} `corrupt`.
 */
export class XmlReader {
  readonly bytes: Uint8Array;
  /** The local name of the last tag, as a range of {@link bytes}. */
  nameStart = 0;
  nameEnd = 0;
  /**
   * The buffer with the text that {@link readText} found, from `textStart` to `textEnd`. The next call
   * overwrites it.
   */
  text: Uint8Array;
  textStart = 0;
  textEnd = 0;

  #position: number;
  #qualifiedStart = 0;
  readonly #mixed = new TextBuffer();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.text = bytes;
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    this.#position = marked ? 3 : 0;
  }

  /** Moves to the next tag, past white space, comments and processing instructions. Refuses other text. */
  next(): XmlTag {
    const bytes = this.bytes;
    let at = this.#position;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined) return 'end';
      if (byte === LESS_THAN) {
        const mark = bytes[at + 1];
        if (mark === SLASH) {
          this.#position = this.#readName(at + 2);
          this.#expectTagEnd();
          return 'close';
        }
        if (mark === BANG || mark === QUESTION_MARK) {
          at = this.#afterMarkup(at);
          continue;
        }
        return this.#readOpenTag(at);
      }
      if (!isSpace(byte)) throw corrupt('the listing holds text where only elements belong');
      at++;
    }
  }

  /** Whether the last tag has this local name, with any namespace prefix. */
  isNamed(name: Uint8Array): boolean {
    const start = this.nameStart;
    const length = name.length;
    if (this.nameEnd - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[start + i] !== name[i]) return false;
    return true;
  }

  /**
   * Reads an element that holds only text, after its `open` tag and to its closing tag, into {@link text}.
   */
  readText(): void {
    const bytes = this.bytes;
    const start = this.#position;
    let at = start;
    for (;;) {
      const byte = bytes[at];
      if (byte === LESS_THAN || byte === AMPERSAND || byte === undefined) break;
      at++;
    }
    if (bytes[at] === LESS_THAN && bytes[at + 1] === SLASH) {
      this.text = bytes;
      this.textStart = start;
      this.textEnd = at;
      this.#closeLeaf(at);
      return;
    }
    this.#readMixedText(start, at);
  }

  /** Does as {@link readText}, and returns the text as a string. */
  readString(): string {
    this.readText();
    return this.textString();
  }

  /** Returns the text that {@link readText} found, up to `end`, as a string. */
  textString(end = this.textEnd): string {
    return Buffer.from(
      this.text.buffer,
      this.text.byteOffset + this.textStart,
      end - this.textStart,
    ).toString();
  }

  /** Whether the text that {@link readText} found is `expected`. */
  isText(expected: Uint8Array): boolean {
    return (
      this.textEnd - this.textStart === expected.length && startsWith(this.text, this.textStart, expected)
    );
  }

  /**
   * Moves past the closing tag of the element whose `open` tag was read last, whatever the element contains.
   */
  skipElement(): void {
    const bytes = this.bytes;
    let at = this.#position;
    let depth = 1;
    while (depth > 0) {
      at = bytes.indexOf(LESS_THAN, at);
      if (at < 0) throw endsEarly();
      const mark = bytes[at + 1];
      if (mark === SLASH) {
        this.#position = this.#readName(at + 2);
        this.#expectTagEnd();
        depth--;
      } else if (mark === BANG || mark === QUESTION_MARK) {
        const data = startsWith(bytes, at, CDATA_OPEN);
        this.#position = data ? indexAfter(bytes, CDATA_CLOSE, at) : this.#afterMarkup(at);
      } else if (this.#readOpenTag(at) === 'open') {
        depth++;
      }
      at = this.#position;
    }
  }

  #readOpenTag(at: number): 'open' | 'empty' {
    const bytes = this.bytes;
    let end = this.#readName(at + 1);
    if (bytes[end] === GREATER_THAN) {
      this.#position = end + 1;
      return 'open';
    }
    let quote = 0;
    for (; ; end++) {
      const byte = bytes[end];
      if (byte === undefined) throw endsEarly();
      if (quote !== 0) {
        if (byte === quote) quote = 0;
      } else if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
        quote = byte;
      } else if (byte === GREATER_THAN) {
        break;
      } else if (byte === LESS_THAN) {
        throw corrupt('the listing holds a tag within a tag');
      }
    }
    this.#position = end + 1;
    return bytes[end - 1] === SLASH ? 'empty' : 'open';
  }

  /** Returns where the name ends. */
  #readName(start: number): number {
    const bytes = this.bytes;
    this.#qualifiedStart = start;
    this.nameStart = start;
    let at = start;
    for (; ; at++) {
      const byte = bytes[at];
      if (byte === undefined) throw endsEarly();
      if (NAME_STOPS[byte] === 0) continue;
      if (byte === LESS_THAN) throw corrupt('the listing holds a tag within a tag');
      if (byte !== COLON) break;
      this.nameStart = at + 1;
    }
    if (at === this.nameStart) throw corrupt('the listing holds a tag without a name');
    this.nameEnd = at;
    return at;
  }

  #expectTagEnd(): void {
    const bytes = this.bytes;
    let at = this.#position;
    if (bytes[at] === GREATER_THAN) {
      this.#position = at + 1;
      return;
    }
    while (isSpace(bytes[at])) at++;
    if (bytes[at] === undefined) throw endsEarly();
    if (bytes[at] !== GREATER_THAN) throw corrupt('the listing holds a broken closing tag');
    this.#position = at + 1;
  }

  /** Checks that the closing tag at `at` matches the element opened last. */
  #closeLeaf(at: number): void {
    const bytes = this.bytes;
    const opened = this.#qualifiedStart;
    const length = this.nameEnd - opened;
    for (let i = 0; i < length; i++) {
      if (bytes[at + 2 + i] !== bytes[opened + i]) throw corrupt('the listing holds tags that do not match');
    }
    this.#position = at + 2 + length;
    this.#expectTagEnd();
  }

  /**
   * Reads text with entities, CDATA sections, comments or instructions. `from..at` is its plain part, which
   * was read before.
   */
  #readMixedText(from: number, at: number): void {
    const bytes = this.bytes;
    const mixed = this.#mixed;
    mixed.clear();
    mixed.append(bytes, from, at);
    let position = at;
    for (;;) {
      const byte = bytes[position];
      if (byte === undefined) throw endsEarly();
      if (byte === AMPERSAND) {
        position = mixed.appendReference(bytes, position);
      } else if (byte !== LESS_THAN) {
        const start = position;
        while (position < bytes.length && bytes[position] !== LESS_THAN && bytes[position] !== AMPERSAND)
          position++;
        mixed.append(bytes, start, position);
      } else if (bytes[position + 1] === SLASH) {
        break;
      } else if (startsWith(bytes, position, CDATA_OPEN)) {
        const end = indexAfter(bytes, CDATA_CLOSE, position + CDATA_OPEN.length);
        mixed.append(bytes, position + CDATA_OPEN.length, end - CDATA_CLOSE.length);
        position = end;
      } else if (bytes[position + 1] === BANG || bytes[position + 1] === QUESTION_MARK) {
        position = this.#afterMarkup(position);
      } else {
        throw corrupt('the listing holds an element where text belongs');
      }
    }
    this.text = mixed.bytes;
    this.textStart = 0;
    this.textEnd = mixed.length;
    this.#closeLeaf(position);
  }

  /** Returns where a comment or a processing instruction ends. */
  #afterMarkup(at: number): number {
    const bytes = this.bytes;
    if (bytes[at + 1] === QUESTION_MARK) return indexAfter(bytes, INSTRUCTION_CLOSE, at + 2);
    const kind = bytes[at + 2];
    if (kind === undefined || (kind === HYPHEN && bytes[at + 3] === undefined)) throw endsEarly();
    if (kind === HYPHEN && bytes[at + 3] === HYPHEN) return indexAfter(bytes, COMMENT_CLOSE, at + 4);
    if ((kind | 0x20) === LETTER_D) throw notAListing('the answer has a document type, which S3 never sends');
    throw corrupt('the listing holds a declaration or character data where only elements belong');
  }
}

/** Returns a table with 1 for each byte that ends a name or has a meaning within it, and 0 for the others. */
function nameStops(): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE, SLASH, COLON, LESS_THAN, GREATER_THAN])
    table[byte] = 1;
  return table;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}

/** Returns the end of the first `sought` at or after `from`. */
function indexAfter(bytes: Uint8Array, sought: Uint8Array, from: number): number {
  const first = sought[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (startsWith(bytes, at, sought)) return at + sought.length;
  }
  throw endsEarly();
}
