import { corrupt, endsEarly } from './errors.ts';

/**
 * The maximum number of bytes kept of the text of one element. No field of a listing is longer, except a key
 * that a tree leaves out.
 */
const MAX_TEXT_BYTES = 64 * 1024;

const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const AMPERSAND = 0x26;
const SINGLE_QUOTE = 0x27;
const SEMICOLON = 0x3b;
const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;
const LETTER_X = 0x78;

const NAMED: readonly { readonly name: Uint8Array; readonly code: number }[] = [
  { name: Buffer.from('quot;'), code: DOUBLE_QUOTE },
  { name: Buffer.from('amp;'), code: AMPERSAND },
  { name: Buffer.from('lt;'), code: LESS_THAN },
  { name: Buffer.from('gt;'), code: GREATER_THAN },
  { name: Buffer.from('apos;'), code: SINGLE_QUOTE },
];

/**
 * Collects the text of one XML element that contains character references. Every ETag contains them, so this
 * creates no strings. Keeps only the first MAX_TEXT_BYTES.
 */
export class TextBuffer {
  #bytes: Uint8Array = new Uint8Array(256);
  #length = 0;

  /** The collected bytes: valid up to {@link length}, until the next append. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  append(source: Uint8Array, start: number, end: number): void {
    const last = Math.min(end, start + this.#reserve(end - start));
    const bytes = this.#bytes;
    let tail = this.#length;
    for (let at = start; at < last; at++) bytes[tail++] = source[at] as number;
    this.#length = tail;
  }

  /**
   * Appends the character of the reference whose ampersand is `source[at]`. Returns the end of the reference.
   */
  appendReference(source: Uint8Array, at: number): number {
    if (source[at + 1] !== HASH) {
      for (const { name, code } of NAMED) {
        if (!startsWith(source, at + 1, name)) continue;
        this.#appendCharacter(code);
        return at + 1 + name.length;
      }
      throw corrupt('the listing holds an unknown character reference');
    }
    const hexadecimal = source[at + 2] === LETTER_X;
    const first = at + (hexadecimal ? 3 : 2);
    let code = 0;
    let end = first;
    for (; source[end] !== SEMICOLON; end++) {
      const byte = source[end];
      if (byte === undefined) throw endsEarly();
      const digit = digitOf(byte, hexadecimal);
      code = code * (hexadecimal ? 16 : 10) + digit;
      if (digit < 0 || code > 0x10ffff) throw corrupt('the listing holds a broken character reference');
    }
    if (end === first || (code >= 0xd800 && code <= 0xdfff)) {
      throw corrupt('the listing holds a broken character reference');
    }
    this.#appendCharacter(code);
    return end + 1;
  }

  #appendCharacter(code: number): void {
    if (code < 0x80) {
      if (this.#reserve(1) > 0) this.#bytes[this.#length++] = code;
      return;
    }
    const encoded = Buffer.from(String.fromCodePoint(code));
    this.append(encoded, 0, encoded.length);
  }

  /** Makes room for `more` bytes, up to MAX_TEXT_BYTES in all. Returns how many of them have room. */
  #reserve(more: number): number {
    const needed = Math.min(this.#length + more, MAX_TEXT_BYTES);
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return needed - this.#length;
  }
}

/** Whether `bytes` contains `expected` at `at`. */
export function startsWith(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

/** Returns the value of a digit; -1 if the byte is no digit. */
function digitOf(byte: number, hexadecimal: boolean): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return hexadecimal && letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
