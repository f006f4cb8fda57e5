const SPACE = 0x20;
const PLUS = 0x2b;
const PERCENT = 0x25;
const DELETE = 0x7f;
const NOT_HEX = 0xff;
const BARE = 1;

/**
 * The maximum number of bytes of a key that is listed whole. S3 allows 1,024 bytes; other stores allow more.
 * A longer key is cut, but to at least one byte more than this, so that it is known to be too long, and is
 * not confused with another key.
 */
export const MAX_KEY_BYTES = 4096;

/** How the text of a key in a listing is decoded. */
export type KeyEncoding = 'url' | 'literal';

/** What {@link KeyDecoder.decode} returns for a key outside the prefix. */
export const OUTSIDE_PREFIX = -1;

const HEX = hexDigits();
const SPECIAL_IN_URL = specialBytes('url');
const SPECIAL_IN_LITERAL = specialBytes('literal');

/**
 * Decodes the keys of one page, and notes evidence of how they are encoded.
 *
 * S3 encodes as forms do (a space is `+`). SeaweedFS writes `%20` in a folder's name and `+` in a file's.
 * Some stores write `%2F` for the slash. Decoding is the same for all of them.
 */
export class KeyDecoder {
  /** A key contained `+` or `%XX`, so that the key differs between the two encodings. */
  sawEscape = false;
  /**
   * A key contained a byte that URL encoding always escapes (white space, controls, beyond ASCII), so keys
   * are literal.
   */
  sawBare = false;
  /** A key contained a `%` without two hexadecimal digits: the key is literal, or corrupt. */
  sawMalformed = false;
  /** A key, decoded by this encoding, did not start with the prefix. */
  sawOutside = false;

  /**
   * A text longer than this is always a key over {@link MAX_KEY_BYTES}, because an escape has three bytes.
   */
  readonly longestText: number;

  readonly #prefix: Uint8Array;
  readonly #special: Uint8Array;

  constructor(prefix: Uint8Array, encoding: KeyEncoding) {
    this.longestText = 3 * (prefix.length + MAX_KEY_BYTES + 8);
    this.#prefix = prefix;
    this.#special = encoding === 'url' ? SPECIAL_IN_URL : SPECIAL_IN_LITERAL;
  }

  /**
   * Writes the key in `text[start..end)`, without its prefix, to `target` at `at`. There must be room for the
   * length of the text. Returns the end of the key, or {@link OUTSIDE_PREFIX}.
   */
  decode(text: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
    const prefix = this.#prefix;
    const prefixLength = prefix.length;
    const special = this.#special;
    let matched = 0;
    let tail = at;
    for (let i = start; i < end; i++) {
      let byte = text[i] as number;
      const kind = special[byte] as number;
      if (kind === PERCENT) {
        const high = i + 2 < end ? (HEX[text[i + 1] as number] as number) : NOT_HEX;
        const low = i + 2 < end ? (HEX[text[i + 2] as number] as number) : NOT_HEX;
        if (high === NOT_HEX || low === NOT_HEX) {
          this.sawMalformed = true;
        } else {
          this.sawEscape = true;
          byte = (high << 4) | low;
          i += 2;
        }
      } else if (kind === PLUS) {
        this.sawEscape = true;
        byte = SPACE;
      } else if (kind === BARE) {
        this.sawBare = true;
      }
      if (matched === prefixLength) {
        target[tail++] = byte;
      } else if (byte === prefix[matched]) {
        matched++;
      } else {
        this.sawOutside = true;
        return OUTSIDE_PREFIX;
      }
    }
    if (matched === prefixLength) return tail;
    this.sawOutside = true;
    return OUTSIDE_PREFIX;
  }
}

/** Returns where to cut a text that begins at `start` to at most `length` bytes, but not within an escape. */
export function cutEscaped(text: Uint8Array, start: number, length: number): number {
  const end = start + length;
  if (text[end - 1] === PERCENT) return end - 1;
  return text[end - 2] === PERCENT ? end - 2 : end;
}

/**
 * Returns where to cut a key that begins at `start` and is longer than {@link MAX_KEY_BYTES}: never within a
 * character.
 */
export function cutKey(key: Uint8Array, start: number, end: number): number {
  const longest = Math.min(end, start + MAX_KEY_BYTES + 4);
  let cut = start + MAX_KEY_BYTES + 1;
  while (cut < longest && ((key[cut] as number) & 0xc0) === 0x80) cut++;
  return cut;
}

/** Returns what each byte of a text is: 0 (it stands for itself), PERCENT, PLUS, or BARE. */
function specialBytes(encoding: KeyEncoding): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(BARE, 0, SPACE + 1);
  table.fill(BARE, DELETE);
  if (encoding === 'url') {
    table[PERCENT] = PERCENT;
    table[PLUS] = PLUS;
  }
  return table;
}

function hexDigits(): Uint8Array {
  const table = new Uint8Array(256).fill(NOT_HEX);
  for (const [digit, value] of '0123456789abcdef'.split('').entries()) {
    table[value.charCodeAt(0)] = digit;
    table[value.toUpperCase().charCodeAt(0)] = digit;
  }
  return table;
}
